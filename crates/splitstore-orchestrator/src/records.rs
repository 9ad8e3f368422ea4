//! The one format of our own files: a header and checksummed records.
//!
//! ```text
//!   header   magic "SPLTSTOR" | version u16 | kind u16 | zero u32                  16 bytes
//!   record   len u32 | checksum u64 | payload                                      12 + len bytes
//! ```
//! Integers are little-endian. The checksum is XXH3-64 of the payload under a seed made of the file's kind and
//! the record's number, so that a record which stands in the wrong place or file is damage too. A newer
//! version is refused by name. A record cut off by the end of the file, and nothing but zeros up to it, is a
//! *torn tail*: what a crash leaves. Anything else that does not check is *damage*, and the file is not used.

use std::io::{ErrorKind as Io, Read, Write};
use std::path::{Path, PathBuf};

use splitstore_ports::{ErrorKind, FileSystem, FileWrite, PortError};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::error::{Error, Result};

const MAGIC: [u8; 8] = *b"SPLTSTOR";
const VERSION: u16 = 1;
const HEADER_LEN: usize = MAGIC.len() + 2 + 2 + 4;
const RECORD_HEAD_LEN: usize = 4 + 8;
/// No record of ours is longer; a longer claim is damage.
const RECORD_MAX: u32 = 4 << 20;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    Journal = 1,
    Candidates = 2,
    Marks = 3,
    References = 4,
}

/// Appends records.
pub(crate) struct RecordWriter {
    file: Box<dyn FileWrite>,
    path: PathBuf,
    kind: FileKind,
    next: u64,
}

impl RecordWriter {
    /// A new file; its name is durable only once its folder is synced.
    pub(crate) fn create(files: &dyn FileSystem, path: &Path, kind: FileKind) -> Result<Self> {
        let file = files.create(path)?;
        let mut writer = Self { file, path: path.into(), kind, next: 0 };
        let mut header = [0; HEADER_LEN];
        header[..8].copy_from_slice(&MAGIC);
        header[8..10].copy_from_slice(&VERSION.to_le_bytes());
        header[10..12].copy_from_slice(&(kind as u16).to_le_bytes());
        writer.write(&header)?;
        Ok(writer)
    }

    /// Goes on with a file that was read to its end; a torn tail is cut off.
    pub(crate) fn resume(files: &dyn FileSystem, path: &Path, end: &End, kind: FileKind) -> Result<Self> {
        files.truncate(path, end.valid_len)?;
        Ok(Self { file: files.append(path)?, path: path.into(), kind, next: end.records })
    }

    /// Appends one record; durable after [`RecordWriter::sync`].
    pub(crate) fn append(&mut self, payload: &[u8]) -> Result<()> {
        let len = u32::try_from(payload.len()).ok().filter(|len| *len <= RECORD_MAX);
        let len = len.expect("records are made in pieces far below the limit");
        let mut record = Vec::with_capacity(RECORD_HEAD_LEN + payload.len());
        record.extend_from_slice(&len.to_le_bytes());
        record.extend_from_slice(&checksum(payload, self.kind, self.next).to_le_bytes());
        record.extend_from_slice(payload);
        self.next += 1;
        self.write(&record)
    }

    /// Makes all records durable.
    pub(crate) fn sync(&mut self) -> Result<()> {
        Ok(self.file.sync()?)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.file.write_all(bytes);
        Ok(written.map_err(|source| PortError::io(format!("write {}", self.path.display()), source))?)
    }
}

/// Reads records back in order.
pub(crate) struct RecordReader {
    file: Box<dyn Read + Send>,
    path: PathBuf,
    kind: FileKind,
    end: End,
}

/// Where reading stopped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct End {
    /// Whole records read.
    pub(crate) records: u64,
    /// Bytes up to the end of the last whole record.
    pub(crate) valid_len: u64,
    /// Whether bytes of a cut record follow.
    pub(crate) torn: bool,
}

impl RecordReader {
    /// Opens a file and checks its header; `None` if it is not there or was never written.
    pub(crate) fn open(files: &dyn FileSystem, path: &Path, kind: FileKind) -> Result<Option<Self>> {
        let Some(file) = files.open(path)? else { return Ok(None) };
        let mut reader = Self { file, path: path.into(), kind, end: End::default() };
        let mut header = [0; HEADER_LEN];
        if reader.fill(&mut header)? < HEADER_LEN {
            return Ok(None);
        }
        if header == [0; HEADER_LEN] && reader.only_zeros_follow()? {
            return Ok(None);
        }
        reader.check_header(&header)?;
        reader.end.valid_len = HEADER_LEN as u64;
        Ok(Some(reader))
    }

    /// The next record; `None` at the end, torn or not.
    pub(crate) fn next_record(&mut self) -> Result<Option<Vec<u8>>> {
        let mut head = [0; RECORD_HEAD_LEN];
        let got = self.fill(&mut head)?;
        if got < RECORD_HEAD_LEN {
            self.end.torn = got > 0;
            return Ok(None);
        }
        if head == [0; RECORD_HEAD_LEN] && self.only_zeros_follow()? {
            self.end.torn = true;
            return Ok(None);
        }
        let (len, sum) = head.split_at(4);
        let len = u32::from_le_bytes(len.try_into().expect("four bytes were split off"));
        if len > RECORD_MAX {
            return Err(self.damage("a record claims an impossible length"));
        }
        let mut payload = vec![0; len as usize];
        if self.fill(&mut payload)? < payload.len() {
            self.end.torn = true;
            return Ok(None);
        }
        if checksum(&payload, self.kind, self.end.records).to_le_bytes() != sum {
            return Err(self.damage("a record does not match its checksum"));
        }
        self.end.records += 1;
        self.end.valid_len += (RECORD_HEAD_LEN + payload.len()) as u64;
        Ok(Some(payload))
    }

    /// Where reading stopped, or stands.
    pub(crate) const fn end(&self) -> &End {
        &self.end
    }

    /// The error that names this file.
    pub(crate) fn damage(&self, fault: &'static str) -> Error {
        Error::DamagedFile { path: self.path.clone(), fault }
    }

    fn check_header(&self, header: &[u8; HEADER_LEN]) -> Result<()> {
        let version = u16::from_le_bytes([header[8], header[9]]);
        let kind = u16::from_le_bytes([header[10], header[11]]);
        if header[..8] != MAGIC || kind != self.kind as u16 {
            return Err(self.damage("not the file that its name says"));
        }
        if version != VERSION {
            let what = format!("read {} of version {version}", self.path.display());
            return Err(PortError::bare(ErrorKind::TooNew, what).into());
        }
        Ok(())
    }

    /// Whether the rest of the file is zeros: space that a crash left without its data.
    fn only_zeros_follow(&mut self) -> Result<bool> {
        let mut buffer = [0; 4096];
        loop {
            let got = self.fill(&mut buffer)?;
            if buffer[..got].iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            if got < buffer.len() {
                return Ok(true);
            }
        }
    }

    /// Reads until `buffer` is full or the file ends; how much it got.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut got = 0;
        while got < buffer.len() {
            match self.file.read(&mut buffer[got..]) {
                Ok(0) => break,
                Ok(n) => got += n,
                Err(error) if error.kind() == Io::Interrupted => {}
                Err(error) => {
                    return Err(PortError::io(format!("read {}", self.path.display()), error).into());
                }
            }
        }
        Ok(got)
    }
}

fn checksum(payload: &[u8], kind: FileKind, number: u64) -> u64 {
    xxh3_64_with_seed(payload, ((kind as u64) << 48) ^ number)
}
