//! Reading tombstones of any version.

use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use segment_compaction::{FileSystem, OsFiles, ReadAt};

use super::{LEN_BITS, MAGIC, PREDICATE, PREFIX, Scope, Tombstone, path_of};
use crate::error::{At, Result};
use crate::layout::KEY_LEN_MAX;
use crate::{Fault, Limits, TimeRange};

/// What an entry takes in memory beside its key, as the limit counts it.
const ENTRY_COST: usize = 16;

/// How a tombstone file is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// Keys as lines of text.
    V1,
    /// Entries.
    V2,
    /// Entries in one gzip stream.
    V3,
    /// Entries in gzip members.
    V4,
}

/// A tombstone file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TombstoneFile {
    /// Its version.
    pub version: Version,
    /// Its entries, in the order of the file.
    pub entries: Vec<Tombstone>,
}

/// Reads the tombstones of a TSM file; `None` if there is no such file.
pub fn load(tsm: &Path, limits: Limits) -> Result<Option<TombstoneFile>> {
    load_in(&OsFiles, tsm, limits)
}

/// As [`load`], on any file system.
pub fn load_in(files: &dyn FileSystem, tsm: &Path, limits: Limits) -> Result<Option<TombstoneFile>> {
    let path = path_of(tsm);
    let file = files.open(&path).map_err(|error| At::path(&path).io("open", error))?;
    file.map(|file| read(BufReader::new(FromStart { file, at: 0 }), &path, limits)).transpose()
}

/// A file of the port from its start on.
struct FromStart {
    file: Box<dyn ReadAt>,
    at: u64,
}

impl Read for FromStart {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buf, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// Reads tombstones; `path` names them in errors.
pub fn read(mut bytes: impl BufRead, path: &Path, limits: Limits) -> Result<TombstoneFile> {
    let at = || At::path(path);
    let mut head = Vec::with_capacity(4);
    bytes.by_ref().take(4).read_to_end(&mut head).map_err(|error| at().io("read", error))?;
    let mut entries = Vec::new();
    let mut room = limits.tombstone_bytes;
    let mut keep = |entry: Tombstone| {
        let cost = entry.key.len() + entry.predicate.as_ref().map_or(0, Vec::len) + ENTRY_COST;
        room = room.checked_sub(cost).ok_or(Failure::Bytes(over(limits)))?;
        entries.push(entry);
        Ok(())
    };
    let version = version(&head);
    let outcome = version.clone().map_err(Failure::Bytes).and_then(|version| match version {
        Version::V1 => lines(Cursor::new(head).chain(bytes), limits, &mut keep),
        Version::V2 => body(bytes, Dialect::Plain, limits, &mut keep),
        Version::V3 => unzipped(bytes, Dialect::Plain, limits, &mut keep),
        Version::V4 => unzipped(bytes, Dialect::Alpha, limits, &mut keep),
    });
    match (version, outcome) {
        (Ok(version), Ok(())) => Ok(TombstoneFile { version, entries }),
        (_, Err(Failure::System(error))) => Err(at().io("read", error)),
        (_, Err(Failure::Bytes(fault))) | (Err(fault), _) => Err(at().damaged(fault)),
    }
}

/// Whether flags may stand above the length of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Plain,
    Alpha,
}

/// Why reading ends.
enum Failure {
    System(io::Error),
    Bytes(Fault),
}

impl From<io::Error> for Failure {
    /// What the system says has a number; the rest is what gzip or an early end says.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            _ if error.raw_os_error().is_some() => Self::System(error),
            io::ErrorKind::UnexpectedEof => Self::Bytes(TRUNCATED),
            _ => Self::Bytes(Fault::Gzip(error.to_string())),
        }
    }
}

type Keep<'a> = dyn FnMut(Tombstone) -> Result<(), Failure> + 'a;

const TRUNCATED: Fault = Fault::Truncated { what: "a tombstone" };

fn over(limits: Limits) -> Fault {
    let limit = limits.tombstone_bytes as u64;
    Fault::OverLimit { what: "bytes of tombstones", found: limit + 1, limit }
}

fn version(head: &[u8]) -> Result<Version, Fault> {
    match head {
        [a, b, c, version] if [*a, *b, *c] == MAGIC => match version {
            2 => Ok(Version::V2),
            3 => Ok(Version::V3),
            4 => Ok(Version::V4),
            other => Err(Fault::Version { found: *other }),
        },
        _ => Ok(Version::V1),
    }
}

fn lines(mut text: impl BufRead, limits: Limits, keep: &mut Keep<'_>) -> Result<(), Failure> {
    let longest = KEY_LEN_MAX + "\r\n".len();
    let mut line = Vec::new();
    while text.by_ref().take(longest as u64 + 1).read_until(b'\n', &mut line)? > 0 {
        let key = line.strip_suffix(b"\n").unwrap_or(&line);
        let key = key.strip_suffix(b"\r").unwrap_or(key);
        if key.len() > KEY_LEN_MAX.min(limits.tombstone_bytes) {
            return Err(Failure::Bytes(Fault::Tombstone { what: "a key has more than 65535 bytes" }));
        }
        if !key.is_empty() {
            keep(Tombstone::new(key, TimeRange::ALL))?;
        }
        line.clear();
    }
    Ok(())
}

fn unzipped(
    mut bytes: impl BufRead,
    dialect: Dialect,
    limits: Limits,
    keep: &mut Keep<'_>,
) -> Result<(), Failure> {
    // A header without a body is a file to which nothing was added yet.
    if bytes.fill_buf()?.is_empty() {
        return Ok(());
    }
    body(BufReader::new(MultiGzDecoder::new(bytes)), dialect, limits, keep)
}

fn body(
    mut bytes: impl BufRead,
    dialect: Dialect,
    limits: Limits,
    keep: &mut Keep<'_>,
) -> Result<(), Failure> {
    while !bytes.fill_buf()?.is_empty() {
        keep(entry(&mut bytes, dialect, limits)?)?;
    }
    Ok(())
}

fn entry(bytes: &mut impl Read, dialect: Dialect, limits: Limits) -> Result<Tombstone, Failure> {
    let word = u32::from_be_bytes(array(bytes)?);
    let (flags, len) = (word >> LEN_BITS << LEN_BITS, word & !(u32::MAX << LEN_BITS));
    let known = if dialect == Dialect::Alpha { PREFIX | PREDICATE } else { 0 };
    if flags & !known != 0 || len as usize > KEY_LEN_MAX {
        return Err(Failure::Bytes(Fault::Tombstone { what: "a key has more than 65535 bytes" }));
    }
    let key = vec(bytes, u64::from(len))?;
    let times = TimeRange::new(i64::from_be_bytes(array(bytes)?), i64::from_be_bytes(array(bytes)?));
    let scope = if flags & PREFIX == 0 { Scope::Key } else { Scope::Prefix };
    let predicate = match flags & PREDICATE {
        0 => None,
        _ => Some(predicate(bytes, limits)?),
    };
    Ok(Tombstone { key, times, scope, predicate })
}

fn predicate(bytes: &mut impl Read, limits: Limits) -> Result<Vec<u8>, Failure> {
    let len = u64::from_be_bytes(array(bytes)?);
    if len > limits.tombstone_bytes as u64 { Err(Failure::Bytes(over(limits))) } else { vec(bytes, len) }
}

fn array<const N: usize>(bytes: &mut impl Read) -> Result<[u8; N], Failure> {
    let mut out = [0; N];
    bytes.read_exact(&mut out)?;
    Ok(out)
}

/// Grows with the bytes that arrive, whatever length they claim.
fn vec(bytes: &mut impl Read, len: u64) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    bytes.take(len).read_to_end(&mut out)?;
    if out.len() as u64 == len { Ok(out) } else { Err(Failure::Bytes(TRUNCATED)) }
}
