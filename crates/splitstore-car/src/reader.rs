//! Reads an archive block by block.
//!
//! ```text
//!   file -> Input -> (ZstdFrames) -> Stream -> header -> section, section, ..
//!           64 KiB    128 KiB        offset    roots     CID, data -> verify -> CarBlock
//! ```
//!
//! After an error nothing more is read: where the next section begins can no longer be told.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::iter::FusedIterator;
use std::path::Path;
use std::sync::Arc;

use cid::Cid;
use splitstore_domain::digest::{self, DigestError};

use crate::block::CarBlock;
use crate::cid_bytes::{self, CID_BYTES_MAX};
use crate::error::{At, CarError, Result};
use crate::format::{Format, Version};
use crate::header::Header;
use crate::limits::Limits;
use crate::payload::Payload;
use crate::source::Source;
use crate::stream::Stream;

/// Whether blocks are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HashCheck {
    /// Every block must hash to its CID.
    #[default]
    Verify,
    /// Blocks are handed out unhashed: for a caller that hashes them itself.
    Trust,
}

/// A streaming reader of a CAR archive in any of its forms.
pub struct CarReader {
    stream: Stream,
    roots: Vec<Cid>,
    format: Format,
    limits: Limits,
    hash_check: HashCheck,
    total_bytes: Option<u64>,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    Reading,
    Ended,
    Failed,
}

const WHAT: &str = "a section";

impl CarReader {
    /// Opens the file at `path` with the default limits and reads its header.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, Limits::default())
    }

    /// Opens the file at `path` with `limits` and reads its header.
    pub fn open_with(path: impl AsRef<Path>, limits: Limits) -> Result<Self> {
        let name = path.as_ref().display().to_string();
        let opened = File::open(&path).and_then(|file| Ok((file.metadata()?, file)));
        let (metadata, file) = opened
            .map_err(|source| CarError::Io { at: At { file: name.as_str().into(), offset: 0 }, source })?;
        let mut reader = Self::new(file, name, limits)?;
        reader.total_bytes = metadata.is_file().then_some(metadata.len());
        Ok(reader)
    }

    /// Reads the header from `input`; `name` is what errors call it.
    /// The reader buffers by itself, so `input` need not.
    pub fn new(input: impl Read + Send + 'static, name: impl Into<String>, limits: Limits) -> Result<Self> {
        let file: Arc<str> = name.into().into();
        let source = Source::detect(Box::new(input), &limits)
            .map_err(|source| CarError::Io { at: At { file: Arc::clone(&file), offset: 0 }, source })?;
        let mut stream = Stream::new(source, file);
        let (version, roots) = read_headers(&mut stream, &limits)?;
        let format = Format { version, compression: stream.compression() };
        let (hash_check, state) = (HashCheck::default(), State::Reading);
        Ok(Self { stream, roots, format, limits, hash_check, total_bytes: None, state })
    }

    /// The same reader, hashing blocks or not.
    pub fn with_hash_check(self, hash_check: HashCheck) -> Self {
        Self { hash_check, ..self }
    }

    /// The roots the header names; none is possible, and none need be in the archive.
    pub fn roots(&self) -> &[Cid] {
        &self.roots
    }

    /// The form the archive was found to have.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Bytes of the file consumed so far, compressed where it is compressed. At the end it equals
    /// [`total_bytes`](Self::total_bytes), save for a `CARv2`, where what follows the payload is not read.
    pub fn bytes_read(&self) -> u64 {
        self.stream.consumed()
    }

    /// Length of the file in bytes; `None` where it was not opened by path or is no regular file.
    pub fn total_bytes(&self) -> Option<u64> {
        self.total_bytes
    }

    /// The next block; `None` at the end. After an error every call is [`CarError::AfterError`].
    pub fn next_block(&mut self) -> Result<Option<CarBlock>> {
        match self.state {
            State::Ended => return Ok(None),
            State::Failed => return Err(CarError::AfterError { at: self.stream.at() }),
            State::Reading => {}
        }
        let block = self.read_section();
        self.state = match &block {
            Ok(Some(_)) => State::Reading,
            Ok(None) => State::Ended,
            Err(_) => State::Failed,
        };
        block
    }

    fn read_section(&mut self) -> Result<Option<CarBlock>> {
        let at = self.stream.at();
        let Some(len) = self.stream.varint(WHAT)? else { return Ok(None) };
        if len > self.limits.section_bytes_max {
            let limit = self.limits.section_bytes_max;
            return Err(CarError::TooLarge { at, what: "section bytes", limit, found: len });
        }
        if len == 0 {
            return Err(CarError::BadCid { at, reason: "the section is empty (null padding?)" });
        }
        let (cid, data) = self.read_cid_and_data(len, &at)?;
        let offset = at.offset;
        if self.hash_check == HashCheck::Verify {
            digest::verify(&cid, &data).map_err(|error| refuse(&error, cid, at))?;
        }
        Ok(Some(CarBlock { cid, data, offset }))
    }

    /// Reads the front of the section, where the CID must be, then the rest straight behind what the
    /// front held of the data: the data is never moved.
    fn read_cid_and_data(&mut self, len: u64, at: &At) -> Result<(Cid, Vec<u8>)> {
        let front_len = len.min(CID_BYTES_MAX as u64);
        let mut front = Vec::with_capacity(CID_BYTES_MAX);
        self.stream.read_into(&mut front, front_len, WHAT, at.offset)?;
        let (cid, first) =
            cid_bytes::split(&front).map_err(|reason| CarError::BadCid { at: at.clone(), reason })?;
        let mut data = first.to_vec();
        self.stream.read_into(&mut data, len - front_len, WHAT, at.offset)?;
        Ok((cid, data))
    }
}

/// Yields the blocks; after an error, which it yields once, it is at its end.
impl Iterator for CarReader {
    type Item = Result<CarBlock>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.state {
            State::Reading => self.next_block().transpose(),
            State::Ended | State::Failed => None,
        }
    }
}

impl FusedIterator for CarReader {}

impl fmt::Debug for CarReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CarReader")
            .field("at", &self.stream.at())
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

/// Reads the header, and in a `CARv2` goes on to that of the inner `CARv1`.
fn read_headers(stream: &mut Stream, limits: &Limits) -> Result<(Version, Vec<Cid>)> {
    if let Header::V1(roots) = Header::read(stream, limits)? {
        return Ok((Version::V1, roots));
    }
    let payload = Payload::read(stream)?;
    stream.enter(payload)?;
    let at = stream.at();
    match Header::read(stream, limits)? {
        Header::V1(roots) => Ok((Version::V2, roots)),
        Header::V2 => Err(CarError::UnsupportedVersion { at, version: 2 }),
    }
}

fn refuse(error: &DigestError, cid: Cid, at: At) -> CarError {
    let cid = Box::new(cid);
    match error {
        DigestError::Unsupported { code, .. } => CarError::UnsupportedHash { at, cid, code: *code },
        // Any refusal means the same to a reader: this data is not this block.
        _ => CarError::HashMismatch { at, cid },
    }
}
