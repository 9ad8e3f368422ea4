//! The uncompressed CAR stream, whatever lies around it; detection is by the first four bytes.

use std::io::{self, Read};

use crate::format::Compression;
use crate::input::Input;
use crate::limits::Limits;
use crate::zstd_frames::ZstdFrames;

const ZSTD_MAGIC: u32 = 0xfd2f_b528;
/// Skippable frames have any of the sixteen magics 0x184D2A50 to 0x184D2A5F.
const SKIPPABLE_MAGIC: u32 = 0x184d_2a50;

/// Gives the bytes of the CAR stream. A CAR cannot begin with a zstd magic: those bytes would be a length
/// followed by something that is no CBOR map of two fields.
pub(crate) enum Source {
    Plain(Input),
    Zstd(Box<ZstdFrames>),
}

/// Why bytes could not be had; the stream adds the place.
pub(crate) enum SourceError {
    Io(io::Error),
    Zstd { compressed_offset: u64, source: io::Error },
    Truncated { began: u64 },
    TooLarge { what: &'static str, limit: u64, found: u64 },
}

impl From<io::Error> for SourceError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Source {
    pub(crate) fn detect(inner: Box<dyn Read + Send>, limits: &Limits) -> io::Result<Self> {
        let mut input = Input::new(inner);
        let magic = input.prefix(4)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
        let compressed = magic.is_some_and(|magic| magic == ZSTD_MAGIC || magic & !0xf == SKIPPABLE_MAGIC);
        Ok(if compressed {
            Self::Zstd(Box::new(ZstdFrames::new(input, limits)?))
        } else {
            Self::Plain(input)
        })
    }

    /// Bytes not yet consumed; empty only at the end.
    pub(crate) fn fill(&mut self) -> Result<&[u8], SourceError> {
        match self {
            Self::Plain(input) => Ok(input.fill()?),
            Self::Zstd(frames) => frames.fill(),
        }
    }

    pub(crate) fn consume(&mut self, len: usize) {
        match self {
            Self::Plain(input) => input.consume(len),
            Self::Zstd(frames) => frames.consume(len),
        }
    }

    /// Bytes of the file consumed, compressed where it is compressed.
    pub(crate) fn consumed(&self) -> u64 {
        match self {
            Self::Plain(input) => input.consumed(),
            Self::Zstd(frames) => frames.consumed(),
        }
    }

    pub(crate) fn compression(&self) -> Compression {
        match self {
            Self::Plain(_) => Compression::None,
            Self::Zstd(_) => Compression::Zstd,
        }
    }
}
