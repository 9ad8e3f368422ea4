//! zstd frames as one stream of bytes, within the limits.
//!
//! ```text
//!   Between --first byte--> Inside --last byte, checksum good--> Between --end of file--> end
//!                             |  end of file: Truncated
//! ```
//!
//! Skippable frames are frames that give no bytes; the decoder passes over them.

use std::io;

use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use crate::input::Input;
use crate::limits::Limits;
use crate::source::SourceError;

const BUFFER_BYTES: usize = 128 << 10;

/// Decompresses all frames of an input.
pub(crate) struct ZstdFrames {
    input: Input,
    decoder: Decoder<'static>,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    place: Place,
    produced: u64,
    limits: Limits,
}

#[derive(Clone, Copy)]
enum Place {
    Between,
    /// `began`: bytes produced when the frame began.
    Inside {
        began: u64,
    },
}

impl ZstdFrames {
    pub(crate) fn new(input: Input, limits: &Limits) -> io::Result<Self> {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(limits.zstd_window_log_max))?;
        Ok(Self {
            input,
            decoder,
            buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
            start: 0,
            end: 0,
            place: Place::Between,
            produced: 0,
            limits: limits.clone(),
        })
    }

    /// Bytes not yet consumed; empty only after the last frame.
    pub(crate) fn fill(&mut self) -> Result<&[u8], SourceError> {
        while self.start == self.end {
            if self.input.fill()?.is_empty() && matches!(self.place, Place::Between) {
                break;
            }
            self.step()?;
            self.check_limits()?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    pub(crate) fn consume(&mut self, len: usize) {
        self.start += len;
    }

    /// Compressed bytes consumed.
    pub(crate) fn consumed(&self) -> u64 {
        self.input.consumed()
    }

    /// One call of the decoder: some compressed bytes in, some bytes out.
    fn step(&mut self) -> Result<(), SourceError> {
        let bytes = self.input.fill()?;
        let ended = bytes.is_empty();
        let mut source = InBuffer::around(bytes);
        let mut target = OutBuffer::around(&mut self.buffer[..]);
        let outcome = self.decoder.run(&mut source, &mut target);
        let (taken, given) = (source.pos(), target.pos());
        let compressed_offset = self.input.consumed();
        let open = outcome.map_err(|source| SourceError::Zstd { compressed_offset, source })?;

        let began = match self.place {
            Place::Between => self.produced,
            Place::Inside { began } => began,
        };
        if ended && given == 0 {
            return Err(SourceError::Truncated { began });
        }
        self.place = if open == 0 { Place::Between } else { Place::Inside { began } };
        self.input.consume(taken);
        self.start = 0;
        self.end = given;
        self.produced += given as u64;
        Ok(())
    }

    fn check_limits(&self) -> Result<(), SourceError> {
        let found = self.produced;
        let bytes_max = self.limits.decompressed_bytes_max.unwrap_or(u64::MAX);
        if found > bytes_max {
            let what = "bytes out of zstd";
            return Err(SourceError::TooLarge { what, limit: bytes_max, found });
        }
        let by_ratio = self.limits.zstd_ratio_max.saturating_mul(self.input.consumed());
        if found > Limits::RATIO_GRACE_BYTES && found > by_ratio {
            let what = "bytes out of zstd, given the ratio allowed";
            return Err(SourceError::TooLarge { what, limit: by_ratio, found });
        }
        Ok(())
    }
}
