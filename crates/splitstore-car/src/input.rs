//! The file's own bytes, buffered and counted.

use std::io::{self, Read};

const BUFFER_BYTES: usize = 64 << 10;

/// A reader with a buffer of fixed size; knows how many bytes were consumed from it.
pub(crate) struct Input {
    inner: Box<dyn Read + Send>,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    consumed: u64,
}

impl Input {
    pub(crate) fn new(inner: Box<dyn Read + Send>) -> Self {
        let buffer = vec![0; BUFFER_BYTES].into_boxed_slice();
        Self { inner, buffer, start: 0, end: 0, consumed: 0 }
    }

    /// Bytes not yet consumed; empty only at the end of the file.
    pub(crate) fn fill(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            self.read_more()?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// The first `len` bytes of the file, or fewer if it is shorter. For the start only.
    pub(crate) fn prefix(&mut self, len: usize) -> io::Result<&[u8]> {
        while self.end < len && self.read_more()? > 0 {}
        Ok(&self.buffer[..self.end.min(len)])
    }

    pub(crate) fn consume(&mut self, len: usize) {
        self.start += len;
        self.consumed += len as u64;
    }

    /// Bytes consumed since the start.
    pub(crate) fn consumed(&self) -> u64 {
        self.consumed
    }

    fn read_more(&mut self) -> io::Result<usize> {
        loop {
            match self.inner.read(&mut self.buffer[self.end..]) {
                Ok(len) => {
                    self.end += len;
                    return Ok(len);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
