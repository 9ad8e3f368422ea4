//! Reading a file: checked when it is opened, block by block afterwards.
//!
//! ```text
//!   open    header, footer, seal if there is one, one pass over the index: order, types, times, places
//!                                                                             -> summary, marks
//!   walk    cursor() -> key, entries -> read_block() checks the checksum -> decode
//!   find    marks (every n-th key's place, at most 4096) -> binary search -> a short walk
//! ```
//! Memory: the marks (32 KiB at most), one window of 16 KiB and one record for each cursor, and one block for
//! each buffer that a caller brings. None of it grows with the number of keys.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use crate::cursor::{IndexCursor, Source};
use crate::entry::Entry;
use crate::error::{At, Result};
use crate::layout::{FOOTER_LEN, HEADER_LEN, MAGIC, VERSION};
use crate::seal::{self, SealState};
use crate::{BlockType, Fault, Limits, ReadAt, SealedBlock, TimeRange};

/// Places in the index that are kept.
const MARKS_MAX: usize = 4096;

/// A TSM file. Cloning it is cheap; clones share the file.
#[derive(Clone)]
pub struct TsmReader {
    source: Arc<Source>,
    limits: Limits,
    summary: Summary,
    seal: SealState,
    marks: Arc<[u64]>,
}

/// What one pass over the index tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Bytes of the file.
    pub file_bytes: u64,
    /// Bytes of the index.
    pub index_bytes: u64,
    /// Keys.
    pub keys: u64,
    /// Blocks.
    pub blocks: u64,
    /// First and last time of any block.
    pub times: TimeRange,
    /// The first key.
    pub first_key: Box<[u8]>,
    /// The last key.
    pub last_key: Box<[u8]>,
}

/// The record of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Type of its blocks.
    pub kind: BlockType,
    /// Where they are.
    pub entries: Vec<Entry>,
}

impl TsmReader {
    /// Opens a file by its path.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|error| At::path(path).io("open", error))?;
        Self::new(Arc::new(file), &path.to_string_lossy(), Limits::default())
    }

    /// Opens bytes from anywhere; `file` names them in errors.
    pub fn new(bytes: Arc<dyn ReadAt>, file: &str, limits: Limits) -> Result<Self> {
        let source = Arc::new(source(bytes, file)?);
        let (summary, marks) = scan(&source)?;
        // A key that a bit turned in must not be merged on: what would be sealed then is the wrong key.
        let seal = seal::checked(&source)?;
        Ok(Self { source, limits, summary, seal, marks: marks.into() })
    }

    /// The name of the file in errors.
    pub fn file(&self) -> &Arc<str> {
        &self.source.file
    }

    /// What the index told when the file was opened.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Whether the index has a checksum; where it has, it is right.
    pub fn seal(&self) -> SealState {
        self.seal
    }

    /// What one block may take in memory.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// A cursor before the first key.
    pub fn cursor(&self) -> IndexCursor {
        IndexCursor::new(Arc::clone(&self.source), self.source.index_at)
    }

    /// A cursor on the first key that is not less than `key`, and whether there is one.
    pub fn seek(&self, key: &[u8]) -> Result<(IndexCursor, bool)> {
        let (mut low, mut high) = (0, self.marks.len());
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            let mut probe = self.cursor_at(middle);
            probe.advance()?;
            *(if probe.key() <= key { &mut low } else { &mut high }) = middle;
        }
        let mut cursor = self.cursor_at(low);
        let mut found = cursor.advance()?;
        while found && cursor.key() < key {
            found = cursor.advance()?;
        }
        Ok((cursor, found))
    }

    /// The record of a key, if the file has it.
    pub fn find(&self, key: &[u8]) -> Result<Option<Record>> {
        let (cursor, found) = self.seek(key)?;
        if !found || cursor.key() != key {
            return Ok(None);
        }
        Ok(Some(Record { kind: cursor.kind()?, entries: cursor.entries().to_vec() }))
    }

    /// Reads a block of `key` into `buf` and checks its checksum, and its type if `kind` says what it must be.
    pub fn read_block<'b>(
        &self,
        key: &[u8],
        kind: BlockType,
        entry: &Entry,
        buf: &'b mut Vec<u8>,
    ) -> Result<SealedBlock<'b>> {
        read_sealed(&self.source, self.limits, entry, buf)
            .and_then(|sealed| match sealed.parse().map(|block| block.kind) {
                Ok(block) if block == kind => Ok(sealed),
                Ok(block) => Err(self.damaged(entry, Fault::TypeMismatch { index: kind, block })),
                Err(fault) => Err(self.damaged(entry, fault)),
            })
            .map_err(|error| error.with_key(key))
    }

    fn damaged(&self, entry: &Entry, fault: Fault) -> crate::Error {
        self.source.at().offset(entry.offset).damaged(fault)
    }

    fn cursor_at(&self, mark: usize) -> IndexCursor {
        IndexCursor::new(Arc::clone(&self.source), self.marks[mark])
    }
}

/// Reads the bytes of a block and checks their checksum.
pub(crate) fn read_sealed<'b>(
    source: &Source,
    limits: Limits,
    entry: &Entry,
    buf: &'b mut Vec<u8>,
) -> Result<SealedBlock<'b>> {
    let damaged = |fault| source.at().offset(entry.offset).damaged(fault);
    entry.check(source.index_at).map_err(damaged)?;
    let size = entry.size as usize;
    if size > limits.block_bytes {
        let (found, limit) = (u64::from(entry.size), limits.block_bytes as u64);
        return Err(damaged(Fault::OverLimit { what: "bytes in a block", found, limit }));
    }
    buf.resize(size, 0);
    source.read(buf, entry.offset)?;
    SealedBlock::verify(buf).map_err(damaged)
}

/// Checks header and footer.
pub(crate) fn source(bytes: Arc<dyn ReadAt>, file: &str) -> Result<Source> {
    let source = footed(bytes, file)?;
    check_header(&source)?;
    Ok(source)
}

/// Checks the footer, without which nothing can be found.
pub(crate) fn footed(bytes: Arc<dyn ReadAt>, file: &str) -> Result<Source> {
    let file: Arc<str> = file.into();
    let at = At::file(&file);
    let len = bytes.len().map_err(|error| at.clone().io("measure", error))?;
    if len < HEADER_LEN + FOOTER_LEN {
        return Err(at.damaged(Fault::TooShort { len }));
    }
    let mut source = Source { bytes, file, index_at: 0, len };
    let mut footer = [0; size_of::<u64>()];
    source.read(&mut footer, source.index_end())?;
    source.index_at = u64::from_be_bytes(footer);
    if source.index_at < HEADER_LEN || source.index_at >= source.index_end() {
        let fault = Fault::IndexStart { found: source.index_at };
        // Of something else altogether the header says more.
        check_header(&source)?;
        return Err(at.offset(source.index_end()).damaged(fault));
    }
    Ok(source)
}

/// Checks magic and version.
pub(crate) fn check_header(source: &Source) -> Result<()> {
    let mut header = [0; size_of::<u32>() + size_of::<u8>()];
    source.read(&mut header, 0)?;
    let found = u32::from_be_bytes(std::array::from_fn(|index| header[index]));
    if found != MAGIC {
        return Err(source.at().offset(0).damaged(Fault::Magic { found }));
    }
    if header[4] != VERSION {
        return Err(source.at().offset(4).damaged(Fault::Version { found: header[4] }));
    }
    Ok(())
}

/// One pass over the index.
fn scan(source: &Arc<Source>) -> Result<(Summary, Vec<u64>)> {
    let mut cursor = IndexCursor::new(Arc::clone(source), source.index_at);
    let mut marks = Marks::default();
    let mut summary: Option<Summary> = None;
    let mut last = Vec::new();
    while cursor.advance()? {
        cursor.check(summary.as_ref().map(|_| last.as_slice()))?;
        let times = cursor.times().unwrap_or(TimeRange::ALL);
        let all = summary.get_or_insert_with(|| Summary::starting(source, cursor.key(), times));
        all.times = all.times.hull(times);
        all.keys += 1;
        all.blocks += cursor.entries().len() as u64;
        marks.push(cursor.offset());
        last.clear();
        last.extend_from_slice(cursor.key());
    }
    let empty = || source.at().offset(source.index_at).damaged(Fault::NoEntries);
    let mut summary = summary.ok_or_else(empty)?;
    summary.last_key = last.into();
    Ok((summary, marks.kept))
}

impl Summary {
    fn starting(source: &Source, first_key: &[u8], times: TimeRange) -> Self {
        Self {
            file_bytes: source.len,
            index_bytes: source.index_end() - source.index_at,
            keys: 0,
            blocks: 0,
            times,
            first_key: first_key.into(),
            last_key: first_key.into(),
        }
    }
}

/// Every n-th place; n doubles when there are too many.
struct Marks {
    kept: Vec<u64>,
    every: u64,
    seen: u64,
}

impl Default for Marks {
    fn default() -> Self {
        Self { kept: Vec::new(), every: 1, seen: 0 }
    }
}

impl Marks {
    fn push(&mut self, place: u64) {
        if self.seen.is_multiple_of(self.every) {
            if self.kept.len() == MARKS_MAX {
                let mut keep = [true, false].into_iter().cycle();
                self.kept.retain(|_| keep.next().unwrap_or(true));
                self.every *= 2;
            }
            if self.seen.is_multiple_of(self.every) {
                self.kept.push(place);
            }
        }
        self.seen += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stay_few_and_start_with_the_first() {
        let mut marks = Marks::default();
        (0..100_000).for_each(|place| marks.push(place));
        assert!(marks.kept.len() <= MARKS_MAX && marks.kept.len() > MARKS_MAX / 4);
        assert!(marks.kept.iter().enumerate().all(|(at, place)| *place == at as u64 * marks.every));
    }
}
