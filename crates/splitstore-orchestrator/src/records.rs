//! The one format of our own files: a header and checksummed records.
//!
//! ```text
//!   header   magic "SPLTSTOR" | version u16 | kind u16 | zero u32                  16 bytes
//!   record   len u32 | checksum u64 | payload                                      12 + len bytes
//! ```
//! Integers are little-endian. Marks ([`crate::marks_file`]) and final headers ([`crate::tenured`]) are of version 2, all
//! else of version 1. The checksum is XXH3-64 of the payload under a seed made of the file's kind and the record's
//! number, so that a record which stands in the wrong place or file is damage too. A newer version is refused by name. A record cut off by the end of the file, nothing but zeros up to it, and a record
//! with nothing but zeros from a sector's edge inside of it up to the end are a *torn tail*: what a crash leaves.
//! Anything else that does not check is *damage*, and the file is not used.

use std::io::{ErrorKind as Io, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use splitstore_ports::{ErrorKind, FileSystem, FileWrite, PortError};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::error::{Error, Result};

const MAGIC: [u8; 8] = *b"SPLTSTOR";
const HEADER_LEN: usize = MAGIC.len() + 2 + 2 + 4;
const RECORD_HEAD_LEN: usize = 4 + 8;
/// No record of ours is longer; a longer claim is damage.
const RECORD_MAX: u32 = 4 << 20;
/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    Journal = 1,
    Candidates = 2,
    Marks = 3,
    Tenured = 4,
    Links = 5,
}

impl FileKind {
    /// What we write; what is older we read.
    pub(crate) const fn version(self) -> u16 {
        match self {
            Self::Journal | Self::Candidates | Self::Links => 1,
            Self::Marks | Self::Tenured => 2,
        }
    }
}

/// Appends records.
///
/// After a failed write or sync nobody knows what of it reached the disk: the next append first cuts the file back
/// to its last synced record, so that what failed is never followed by anything.
pub(crate) struct RecordWriter {
    files: Arc<dyn FileSystem>,
    /// None after a failure.
    file: Option<Box<dyn FileWrite>>,
    path: PathBuf,
    kind: FileKind,
    at: Position,
    synced: Position,
}

/// A place between two records.
#[derive(Clone, Copy)]
struct Position {
    records: u64,
    len: u64,
}

impl RecordWriter {
    /// A new file; its name is durable only once its folder is synced.
    pub(crate) fn create(files: &Arc<dyn FileSystem>, path: &Path, kind: FileKind) -> Result<Self> {
        let file = Some(files.create(path)?);
        let at = Position { records: 0, len: 0 };
        let mut writer = Self { files: files.clone(), file, path: path.into(), kind, at, synced: at };
        let mut header = [0; HEADER_LEN];
        header[..8].copy_from_slice(&MAGIC);
        header[8..10].copy_from_slice(&kind.version().to_le_bytes());
        header[10..12].copy_from_slice(&(kind as u16).to_le_bytes());
        writer.write(&header)?;
        Ok(writer)
    }

    /// Goes on with a file that was read to its end; a torn tail is cut off.
    pub(crate) fn resume(
        files: &Arc<dyn FileSystem>,
        path: &Path,
        end: &End,
        kind: FileKind,
    ) -> Result<Self> {
        let at = Position { records: end.records, len: end.valid_len };
        let mut writer = Self { files: files.clone(), file: None, path: path.into(), kind, at, synced: at };
        writer.reopen()?;
        Ok(writer)
    }

    /// Appends one record; durable after [`RecordWriter::sync`].
    pub(crate) fn append(&mut self, payload: &[u8]) -> Result<()> {
        if self.file.is_none() {
            self.reopen()?;
        }
        let len = u32::try_from(payload.len()).ok().filter(|len| *len <= RECORD_MAX);
        let len = len.expect("records are made in pieces far below the limit");
        let mut record = Vec::with_capacity(RECORD_HEAD_LEN + payload.len());
        record.extend_from_slice(&len.to_le_bytes());
        record.extend_from_slice(&checksum(payload, self.kind, self.at.records).to_le_bytes());
        record.extend_from_slice(payload);
        self.write(&record)?;
        self.at.records += 1;
        Ok(())
    }

    /// Makes all records durable.
    pub(crate) fn sync(&mut self) -> Result<()> {
        let synced = self.file.as_mut().map_or(Ok(()), |file| file.sync());
        match synced {
            Ok(()) => self.synced = self.at,
            Err(_) => self.file = None,
        }
        Ok(synced?)
    }

    /// Where it stands.
    pub(crate) const fn position(&self) -> End {
        End { records: self.at.records, valid_len: self.at.len, torn: false }
    }

    fn reopen(&mut self) -> Result<()> {
        self.files.truncate(&self.path, self.synced.len)?;
        self.file = Some(self.files.append(&self.path)?);
        self.at = self.synced;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.file.as_mut().map_or(Ok(()), |file| file.write_all(bytes));
        if let Err(source) = written {
            self.file = None;
            return Err(PortError::io(format!("write {}", self.path.display()), source).into());
        }
        self.at.len += bytes.len() as u64;
        Ok(())
    }
}

/// Reads records back in order.
pub(crate) struct RecordReader {
    file: Box<dyn Read + Send>,
    path: PathBuf,
    kind: FileKind,
    version: u16,
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
        let version = kind.version();
        let mut reader = Self { file, path: path.into(), kind, version, end: End::default() };
        let mut header = [0; HEADER_LEN];
        if reader.fill(&mut header)? < HEADER_LEN {
            return Ok(None);
        }
        if header == [0; HEADER_LEN] && reader.only_zeros_follow()? {
            return Ok(None);
        }
        reader.version = reader.check_header(&header)?;
        reader.end.valid_len = HEADER_LEN as u64;
        Ok(Some(reader))
    }

    /// The next record; `None` at the end, torn or not.
    pub(crate) fn next_record(&mut self) -> Result<Option<Vec<u8>>> {
        let mut record = Vec::new();
        Ok(self.next_into(&mut record)?.then_some(record))
    }

    /// The next record in place of what is in `payload`; whether there is one.
    pub(crate) fn next_into(&mut self, payload: &mut Vec<u8>) -> Result<bool> {
        let mut head = [0; RECORD_HEAD_LEN];
        let got = self.fill(&mut head)?;
        if got < RECORD_HEAD_LEN {
            self.end.torn = got > 0;
            return Ok(false);
        }
        if head == [0; RECORD_HEAD_LEN] && self.only_zeros_follow()? {
            self.end.torn = true;
            return Ok(false);
        }
        let (len, sum) = head.split_at(4);
        let len = u32::from_le_bytes(len.try_into().expect("four bytes were split off"));
        if len > RECORD_MAX {
            return Err(self.damage("a record claims an impossible length"));
        }
        payload.resize(len as usize, 0);
        if self.fill(payload)? < payload.len() {
            self.end.torn = true;
            return Ok(false);
        }
        if checksum(payload, self.kind, self.end.records).to_le_bytes() != sum {
            if self.lacks_sectors(&head, payload)? {
                self.end.torn = true;
                return Ok(false);
            }
            return Err(self.damage("a record does not match its checksum"));
        }
        self.end.records += 1;
        self.end.valid_len += (RECORD_HEAD_LEN + payload.len()) as u64;
        Ok(true)
    }

    /// The version of its content.
    pub(crate) const fn version(&self) -> u16 {
        self.version
    }

    /// Where reading stopped, or stands.
    pub(crate) const fn end(&self) -> &End {
        &self.end
    }

    /// The error that names this file.
    pub(crate) fn damage(&self, fault: &'static str) -> Error {
        Error::DamagedFile { path: self.path.clone(), fault }
    }

    /// The version, if it is one that we know.
    fn check_header(&self, header: &[u8; HEADER_LEN]) -> Result<u16> {
        let version = u16::from_le_bytes([header[8], header[9]]);
        let kind = u16::from_le_bytes([header[10], header[11]]);
        if header[..8] != MAGIC || kind != self.kind as u16 {
            return Err(self.damage("not the file that its name says"));
        }
        if !(1..=self.kind.version()).contains(&version) {
            let what = format!("read {} of version {version}", self.path.display());
            return Err(PortError::bare(ErrorKind::TooNew, what).into());
        }
        Ok(version)
    }

    /// Whether the last sectors of the file, from one that begins inside this record, hold zeros: they were not
    /// written when the power went, while the file's length was.
    fn lacks_sectors(&mut self, head: &[u8], payload: &[u8]) -> Result<bool> {
        let record = [head, payload].concat();
        let start = usize::try_from(self.end.valid_len).unwrap_or(usize::MAX) % SECTOR;
        let edge = ((start + record.len() - 1) / SECTOR * SECTOR).saturating_sub(start);
        let lacks = edge > 0 && record[edge..].iter().all(|byte| *byte == 0);
        Ok(lacks && self.only_zeros_follow()?)
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

#[cfg(test)]
mod tests {
    use splitstore_memory::MemoryFiles;

    use super::*;

    /// Bytes of a file with three records of 400 bytes: they begin at 16, 428 and 840 and end at 1252.
    fn three_records() -> Vec<u8> {
        let files: Arc<dyn FileSystem> = Arc::new(MemoryFiles::new());
        let path = Path::new("journal");
        let mut writer = RecordWriter::create(&files, path, FileKind::Journal).unwrap();
        for byte in 1..=3 {
            writer.append(&[byte; 400]).unwrap();
        }
        writer.sync().unwrap();
        let mut bytes = Vec::new();
        files.open(path).unwrap().unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn read(bytes: &[u8]) -> Result<End> {
        let files = MemoryFiles::new();
        let path = Path::new("journal");
        files.create(path).unwrap().write_all(bytes).unwrap();
        let mut reader = RecordReader::open(&files, path, FileKind::Journal)?.unwrap();
        while reader.next_record()?.is_some() {}
        Ok(*reader.end())
    }

    #[test]
    fn sectors_that_were_never_written_are_a_torn_tail() {
        let whole = three_records();
        assert_eq!(read(&whole).unwrap(), End { records: 3, valid_len: 1252, torn: false });
        for (edge, records, valid_len) in [(512, 1, 428), (1024, 2, 840)] {
            let mut torn = whole.clone();
            torn[edge..].fill(0);
            assert_eq!(read(&torn).unwrap(), End { records, valid_len, torn: true }, "zeros from {edge}");
        }
    }

    #[test]
    fn zeros_that_no_lost_sector_explains_are_damage() {
        for zeros in [512..1024, 600..1252, 1251..1252] {
            let mut damaged = three_records();
            damaged[zeros.clone()].fill(0);
            let error = read(&damaged).unwrap_err().to_string();
            assert!(error.contains("does not match its checksum"), "{zeros:?}: {error}");
        }
    }
}
