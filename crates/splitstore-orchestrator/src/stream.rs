//! A byte stream over records, for what has its own inner format: sealed marks.
//!
//! The last record is empty: a stream without it is cut, and is not used. Another may follow it.

use std::io::{self, Read, Write};

use splitstore_ports::PortError;

use crate::error::Result;
use crate::records::{RecordReader, RecordWriter};

const PIECE: usize = 256 << 10;

/// Writes a stream in pieces of one record each.
pub(crate) struct StreamWriter<'a> {
    records: &'a mut RecordWriter,
    /// Asked before every piece whether to go on.
    goes_on: &'a dyn Fn() -> Result<()>,
    piece: Vec<u8>,
}

impl<'a> StreamWriter<'a> {
    pub(crate) fn new(records: &'a mut RecordWriter, goes_on: &'a dyn Fn() -> Result<()>) -> Self {
        Self { records, goes_on, piece: Vec::with_capacity(PIECE) }
    }

    /// Writes what is buffered: another writer goes on with this stream.
    pub(crate) fn pause(mut self) -> Result<()> {
        self.append_piece()
    }

    /// Writes what is buffered and the end mark.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.append_piece()?;
        self.records.append(&[])
    }

    fn append_piece(&mut self) -> Result<()> {
        if !self.piece.is_empty() {
            (self.goes_on)()?;
            self.records.append(&self.piece)?;
            self.piece.clear();
        }
        Ok(())
    }
}

impl Write for StreamWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..taken]);
        if self.piece.len() == PIECE {
            self.append_piece().map_err(io::Error::other)?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads a stream back; ends only at its end mark.
pub(crate) struct StreamReader {
    records: RecordReader,
    piece: Vec<u8>,
    read: usize,
    ended: bool,
}

impl StreamReader {
    pub(crate) const fn new(records: RecordReader) -> Self {
        Self { records, piece: Vec::new(), read: 0, ended: false }
    }

    /// Goes on with the stream that follows this one, which was read to its last byte.
    pub(crate) fn next_stream(mut self) -> Result<Self> {
        let mut rest = [0];
        let over = self.read(&mut rest).map_err(|source| PortError::io("read a stream", source))? == 0;
        if !over {
            return Err(self.records.damage("a part is longer than what it holds"));
        }
        Ok(Self::new(self.records))
    }
}

impl Read for StreamReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.piece.len() && !self.ended {
            let next = self.records.next_record().map_err(io::Error::other)?;
            self.piece = next.ok_or(io::ErrorKind::UnexpectedEof)?;
            self.read = 0;
            self.ended = self.piece.is_empty();
        }
        let rest = &self.piece[self.read..];
        let taken = rest.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&rest[..taken]);
        self.read += taken;
        Ok(taken)
    }
}
