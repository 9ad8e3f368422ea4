//! The CAR stream with a name, a place and an end: the one spot where errors get their offset.

use std::sync::Arc;

use crate::error::{At, CarError, Result};
use crate::format::Compression;
use crate::payload::Payload;
use crate::source::{Source, SourceError};
use crate::varint::Varint;

/// Reads forward through a source. Invariant: `offset` bytes of the uncompressed stream were consumed.
pub(crate) struct Stream {
    source: Source,
    file: Arc<str>,
    offset: u64,
    /// Set once inside a `CARv2`: the stream then ends at the payload's end.
    payload: Option<Payload>,
}

impl Stream {
    pub(crate) fn new(source: Source, file: Arc<str>) -> Self {
        Self { source, file, offset: 0, payload: None }
    }

    /// The place of the next byte.
    pub(crate) fn at(&self) -> At {
        At { file: Arc::clone(&self.file), offset: self.offset }
    }

    pub(crate) fn consumed(&self) -> u64 {
        self.source.consumed()
    }

    pub(crate) fn compression(&self) -> Compression {
        self.source.compression()
    }

    /// Passes over the padding before a payload and ends the stream at the payload's end.
    pub(crate) fn enter(&mut self, payload: Payload) -> Result<()> {
        let began = self.offset;
        while self.offset < payload.start {
            let here = self.peek()?.len();
            if here == 0 {
                return Err(self.truncated("the padding of a CARv2", began));
            }
            let left = usize::try_from(payload.start - self.offset).unwrap_or(usize::MAX);
            self.consume(here.min(left));
        }
        self.payload = Some(payload);
        Ok(())
    }

    /// The length of `what`; `None` where the stream ends before its first byte.
    pub(crate) fn varint(&mut self, what: &'static str) -> Result<Option<u64>> {
        let at = self.at();
        let mut varint = Varint::default();
        loop {
            let Some(&byte) = self.peek()?.first() else {
                let started = self.offset > at.offset;
                return if started { Err(self.truncated(what, at.offset)) } else { Ok(None) };
            };
            self.consume(1);
            match varint.push(byte) {
                Ok(None) => {}
                Ok(Some(value)) => return Ok(Some(value)),
                Err(fault) => return Err(CarError::BadVarint { at, what, fault }),
            }
        }
    }

    /// Appends exactly `len` bytes of `what`. The buffer grows with what arrives, not with what is claimed.
    pub(crate) fn read_into(
        &mut self,
        buffer: &mut Vec<u8>,
        len: u64,
        what: &'static str,
        began: u64,
    ) -> Result<()> {
        let mut left = len;
        while left > 0 {
            let here = self.peek()?;
            let len = here.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if len == 0 {
                return Err(self.truncated(what, began));
            }
            buffer.extend_from_slice(&here[..len]);
            self.consume(len);
            left -= len as u64;
        }
        Ok(())
    }

    /// Bytes at hand; empty only where the stream may end.
    fn peek(&mut self) -> Result<&[u8]> {
        let left = match &self.payload {
            Some(payload) => payload.end - self.offset,
            None => u64::MAX,
        };
        if left == 0 {
            return Ok(&[]);
        }
        // Taken beforehand: the slice returned keeps the source borrowed.
        let at = self.at();
        let began = self.payload.as_ref().map(|payload| payload.start);
        match (self.source.fill(), began) {
            (Err(error), _) => Err(place(error, at)),
            (Ok([]), Some(began)) => Err(CarError::Truncated { at, what: "the CARv2 payload", began }),
            (Ok(bytes), _) => {
                let len = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                Ok(&bytes[..len])
            }
        }
    }

    fn consume(&mut self, len: usize) {
        self.source.consume(len);
        self.offset += len as u64;
    }

    fn truncated(&self, what: &'static str, began: u64) -> CarError {
        CarError::Truncated { at: self.at(), what, began }
    }
}

fn place(error: SourceError, at: At) -> CarError {
    match error {
        SourceError::Io(source) => CarError::Io { at, source },
        SourceError::Zstd { compressed_offset, source } => CarError::Zstd { at, compressed_offset, source },
        SourceError::Truncated { began } => CarError::Truncated { at, what: "a zstd frame", began },
        SourceError::TooLarge { what, limit, found } => CarError::TooLarge { at, what, limit, found },
    }
}
