//! Walking the index, key by key, through one small buffer.
//!
//! ```text
//!   file    ... | record | record | record | record | record | record ...
//!                        |<------ window, 16 KiB ------>|
//!   cursor               key, kind, entries of one record
//! ```
//! Memory: the window, and one record (a key of at most 65,535 bytes and 28 bytes for each of its blocks).

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use crate::entry::Entry;
use crate::error::{At, Result, shown};
use crate::layout::{ENTRY_LEN, FOOTER_LEN, RECORD_LEN};
use crate::{BlockType, Fault, ReadAt, TimeRange};

/// Bytes of the index that are read at once.
const WINDOW: usize = 16 << 10;

/// A file that was opened: where its parts are.
pub(crate) struct Source {
    pub(crate) bytes: Arc<dyn ReadAt>,
    pub(crate) file: Arc<str>,
    pub(crate) index_at: u64,
    pub(crate) len: u64,
}

impl Source {
    pub(crate) fn at(&self) -> At {
        At::file(&self.file)
    }

    pub(crate) fn read(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        let outcome = self.bytes.read_exact_at(buf, offset);
        outcome.map_err(|error| self.at().offset(offset).io("read", error))
    }

    /// The same file, with its index there.
    pub(crate) fn at_index(&self, index_at: u64) -> Self {
        Self { bytes: Arc::clone(&self.bytes), file: Arc::clone(&self.file), index_at, len: self.len }
    }

    pub(crate) fn index_end(&self) -> u64 {
        self.len - FOOTER_LEN
    }
}

/// A place in the index, and the record there.
pub struct IndexCursor {
    source: Arc<Source>,
    window: Vec<u8>,
    /// How much of the window is behind.
    used: usize,
    /// Offset in the file of what follows the window.
    next: u64,
    /// Offset in the file of the record.
    at: u64,
    key: Vec<u8>,
    kind: u8,
    entries: Vec<Entry>,
}

impl IndexCursor {
    pub(crate) fn new(source: Arc<Source>, at: u64) -> Self {
        Self {
            source,
            window: Vec::new(),
            used: 0,
            next: at,
            at,
            key: Vec::new(),
            kind: 0,
            entries: Vec::new(),
        }
    }

    /// A cursor before the first key of a file of which nothing but header and footer is looked at. To walk through
    /// the keys once; [`TsmReader`](crate::TsmReader) is for all else.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|error| At::path(path).io("open", error))?;
        let source = crate::reader::source(Arc::new(file), &path.to_string_lossy())?;
        let at = source.index_at;
        Ok(Self::new(Arc::new(source), at))
    }

    /// Goes to the next record; `false` at the end, where the cursor then stands on nothing.
    pub fn advance(&mut self) -> Result<bool> {
        self.at = self.end();
        self.key.clear();
        self.entries.clear();
        if self.at == self.source.index_end() {
            return Ok(false);
        }
        let len = self.take(size_of::<u16>())?;
        let len = usize::from(u16::from_be_bytes([len[0], len[1]]));
        let mut key = std::mem::take(&mut self.key);
        let taken = self.take(len).map(|bytes| key.extend_from_slice(bytes));
        self.key = key;
        taken?;
        let head = self.take(RECORD_LEN - size_of::<u16>())?;
        let (kind, count) = (head[0], u16::from_be_bytes([head[1], head[2]]));
        self.kind = kind;
        for _ in 0..count {
            let bytes = self.take(ENTRY_LEN)?.first_chunk().map(Entry::read);
            self.entries.extend(bytes);
        }
        Ok(true)
    }

    /// The key of the record.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The type that the index gives for the key.
    pub fn kind(&self) -> Result<BlockType> {
        BlockType::of(self.kind).map_err(|fault| self.place().damaged(fault))
    }

    /// The entries of the key, in the order of the file.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The times of all entries together.
    pub fn times(&self) -> Option<TimeRange> {
        self.entries.iter().map(|entry| entry.times).reduce(TimeRange::hull)
    }

    /// Where in the file the record starts.
    pub fn offset(&self) -> u64 {
        self.at
    }

    /// Where in the file the record ends.
    pub(crate) fn end(&self) -> u64 {
        self.next - (self.window.len() - self.used) as u64
    }

    /// File, key and offset of the record.
    pub fn place(&self) -> At {
        self.source.at().key(&self.key).offset(self.at)
    }

    /// What is wrong with the record by itself, and after `previous`: the first thing.
    pub(crate) fn check(&self, previous: Option<&[u8]>) -> Result<()> {
        let damaged = |fault| self.place().damaged(fault);
        if let Some(previous) = previous.filter(|previous| *previous >= self.key()) {
            return Err(damaged(Fault::KeyOrder { previous: shown(previous) }));
        }
        self.kind()?;
        if self.entries.is_empty() {
            return Err(damaged(Fault::NoEntries));
        }
        let mut checks = self.entries.iter().map(|entry| entry.check(self.source.index_at));
        checks.find_map(Result::err).map_or(Ok(()), |fault| Err(damaged(fault)))
    }

    /// The next bytes of the index.
    fn take(&mut self, len: usize) -> Result<&[u8]> {
        if self.window.len() - self.used < len {
            self.fill(len)?;
        }
        let taken = &self.window[self.used..self.used + len];
        self.used += len;
        Ok(taken)
    }

    /// Moves the window on, so that it holds `len` bytes more.
    fn fill(&mut self, len: usize) -> Result<()> {
        let left = self.source.index_end() - self.next;
        let kept = self.window.len() - self.used;
        if ((len - kept) as u64) > left {
            return Err(self.place().damaged(Fault::Truncated { what: "the index" }));
        }
        self.window.copy_within(self.used.., 0);
        let wanted = len.max(WINDOW) - kept;
        let more = usize::try_from(left).map_or(wanted, |left| left.min(wanted));
        self.window.resize(kept + more, 0);
        self.used = 0;
        // Only what was read counts, also when reading fails.
        let outcome = self.source.read(&mut self.window[kept..], self.next);
        self.window.truncate(if outcome.is_ok() { kept + more } else { kept });
        self.next += if outcome.is_ok() { more as u64 } else { 0 };
        outcome
    }
}
