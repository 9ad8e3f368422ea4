//! Walking an index that may be damaged: what a damaged record is can often be told from what stands around it.
//!
//! ```text
//!   | len key kind count | entry entry | len key kind count | entry | ...
//!   at                   entries       end                            a record is right if what its entries name are
//!                                                                     blocks, and another record follows, or nothing
//!   one of len, kind, count is wrong:  the entries are found by the offset that must come next, the others fit
//!   else:                              lost, until a record follows upon an entry whose block is whole
//! ```
//! Nothing is guessed: of the three small fields two must agree with the blocks before the third is mended.

use std::sync::Arc;

use crate::cursor::{IndexCursor, Source};
use crate::entry::Entry;
use crate::error::Error;
use crate::layout::{ENTRY_LEN, HEADER_LEN, KEY_LEN_MAX, RECORD_LEN, entry};
use crate::reader::read_sealed;
use crate::{BlockType, Fault, Limits, Result};

/// Entries of a record that are tried for a whole block.
const TRIED: usize = 16;
/// Bytes of the index that are looked through at once.
const WINDOW: u64 = 1 << 20;
const LEN: usize = size_of::<u16>();

/// The record of a key.
pub(super) struct Record {
    pub(super) at: u64,
    pub(super) key: Vec<u8>,
    pub(super) kind: BlockType,
    pub(super) entries: Vec<Entry>,
    end: u64,
    /// What was wrong with it, and is mended.
    pub(super) fault: Option<Fault>,
}

/// One step through the index.
pub(super) enum Step {
    Record(Record),
    /// Bytes that make no record.
    Lost {
        at: u64,
        fault: Fault,
    },
    End,
}

/// A place in the index.
pub(super) struct Records {
    source: Arc<Source>,
    limits: Limits,
    at: u64,
    /// Where the first block of the record must be: behind the last one of the record before.
    next_block: Option<u64>,
    buffer: Vec<u8>,
}

impl Records {
    pub(super) fn new(source: Arc<Source>, limits: Limits) -> Self {
        let at = source.index_at;
        Self { source, limits, at, next_block: Some(HEADER_LEN), buffer: Vec::new() }
    }

    pub(super) fn next(&mut self) -> Result<Step> {
        if self.at == self.source.index_end() {
            return Ok(Step::End);
        }
        let (read, fault) = match self.read(self.at) {
            Ok(record) => (Some(record), None),
            Err(Error::Damaged { fault, .. }) => (None, Some(fault)),
            Err(error) => return Err(error),
        };
        if let Some(record) = read {
            if self.follows(record.end, record.entries.last().map(Entry::end))? {
                return Ok(self.take(record));
            }
            if let Some(mended) = self.mend()? {
                return Ok(self.take(mended));
            }
            if self.anchor(&record.entries)?.is_some() {
                return Ok(self.take(record));
            }
        } else if let Some(mended) = self.mend()? {
            return Ok(self.take(mended));
        }
        let lost = Step::Lost { at: self.at, fault: fault.unwrap_or(Fault::Record) };
        self.at = self.boundary()?;
        self.next_block = None;
        Ok(lost)
    }

    /// Whether the index starts here: a record whose blocks are whole, and the file's first among them.
    pub(super) fn is_start(&mut self, at: u64) -> Result<bool> {
        if at >= self.source.index_end() {
            return Ok(false);
        }
        let record = match self.read(at) {
            Ok(record) => record,
            Err(Error::Damaged { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        let first = record.entries.first().is_some_and(|entry| entry.offset == HEADER_LEN);
        Ok(first && self.anchor(&record.entries)?.is_some())
    }

    fn take(&mut self, record: Record) -> Step {
        self.at = record.end;
        self.next_block = record.entries.last().map(Entry::end);
        Step::Record(record)
    }

    /// What stands there, by its own words. Its type is that of its blocks.
    fn read(&mut self, at: u64) -> Result<Record> {
        let mut cursor = IndexCursor::new(Arc::clone(&self.source), at);
        if !cursor.advance()? || cursor.entries().is_empty() {
            return Err(cursor.place().damaged(Fault::NoEntries));
        }
        let (key, entries, end) = (cursor.key().to_vec(), cursor.entries().to_vec(), cursor.end());
        let (kind, fault) = match (cursor.kind(), self.anchor(&entries)?) {
            (Ok(index), Some(block)) if index != block => (block, Some(Fault::TypeMismatch { index, block })),
            (Ok(index), _) => (index, None),
            (Err(Error::Damaged { fault, .. }), Some(block)) => (block, Some(fault)),
            (Err(error), _) => return Err(error),
        };
        Ok(Record { at, key, kind, entries, end, fault })
    }

    /// The type of the first of its blocks that is whole.
    fn anchor(&mut self, entries: &[Entry]) -> Result<Option<BlockType>> {
        for entry in entries.iter().take(TRIED) {
            match read_sealed(&self.source, self.limits, entry, &mut self.buffer) {
                Ok(sealed) => return Ok(sealed.parse().ok().map(|block| block.kind)),
                Err(Error::Damaged { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Whether the index goes on there, or ends: a record with a whole block, or with the block that comes next.
    fn follows(&mut self, at: u64, next_block: Option<u64>) -> Result<bool> {
        if at == self.source.index_end() {
            return Ok(true);
        }
        match self.read(at) {
            Ok(record) => {
                let first = record.entries.first().filter(|entry| self.is_sane(entry));
                let next = first.is_some_and(|entry| Some(entry.offset) == next_block);
                Ok(next || self.anchor(&record.entries)?.is_some())
            }
            Err(Error::Damaged { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The record with the one of its small fields mended that is wrong.
    fn mend(&mut self) -> Result<Option<Record>> {
        let Some(next) = self.next_block else { return Ok(None) };
        let bytes = self.window(self.at, (RECORD_LEN + KEY_LEN_MAX + ENTRY_LEN) as u64)?;
        let wanted = next.to_be_bytes();
        let places = (RECORD_LEN..bytes.len().saturating_sub(ENTRY_LEN - 1))
            .filter(|at| bytes[at + entry::OFFSET..].starts_with(&wanted));
        for place in places {
            let Some(first) = entry_at(&bytes, place).filter(|entry| self.is_sane(entry)) else { continue };
            let Some(block) = self.anchor(&[first])? else { continue };
            return self.mended(&bytes[..place], block, first);
        }
        Ok(None)
    }

    /// The record whose entries begin behind `head`, if two of its three fields are right and another follows it.
    fn mended(&mut self, head: &[u8], block: BlockType, first: Entry) -> Result<Option<Record>> {
        let entries = self.run(self.at + head.len() as u64, first)?;
        let end = self.at + (head.len() + entries.len() * ENTRY_LEN) as u64;
        let (key, small) = head[LEN..].split_at(head.len() - RECORD_LEN);
        let number = |bytes: &[u8]| usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
        let wrong: Vec<_> = [
            ("the length of the key", number(head) != key.len()),
            ("the type", small[0] != block.byte()),
            ("the count of blocks", number(&small[1..]) != entries.len()),
        ]
        .into_iter()
        .filter_map(|(what, wrong)| wrong.then_some(what))
        .collect();
        let [what] = wrong.as_slice() else { return Ok(None) };
        if key.is_empty() || !self.follows(end, entries.last().map(Entry::end))? {
            return Ok(None);
        }
        let (at, fault) = (self.at, Some(Fault::RecordField { what }));
        Ok(Some(Record { at, key: key.to_vec(), kind: block, entries, end, fault }))
    }

    /// Entries back to back whose blocks are back to back.
    fn run(&self, at: u64, first: Entry) -> Result<Vec<Entry>> {
        let bytes = self.window(at, (ENTRY_LEN * usize::from(u16::MAX)) as u64)?;
        let mut entries = vec![first];
        while let Some(entry) = entry_at(&bytes, entries.len() * ENTRY_LEN) {
            if !self.is_sane(&entry) || entries.last().is_some_and(|last| last.end() != entry.offset) {
                break;
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    /// Where a record follows upon an entry whose block is whole; the end of the index if nowhere.
    fn boundary(&mut self) -> Result<u64> {
        let mut from = self.at + 1;
        while from < self.source.index_end() {
            let bytes = self.window(from, WINDOW)?;
            for place in 0..bytes.len().saturating_sub(ENTRY_LEN - 1) {
                let Some(before) = entry_at(&bytes, place).filter(|entry| self.is_sane(entry)) else {
                    continue;
                };
                let at = from + (place + ENTRY_LEN) as u64;
                if self.anchor(&[before])?.is_some() && self.follows(at, None)? {
                    return Ok(at);
                }
            }
            from += (bytes.len().saturating_sub(ENTRY_LEN - 1) as u64).max(1);
        }
        Ok(self.source.index_end())
    }

    fn is_sane(&self, entry: &Entry) -> bool {
        entry.check(self.source.index_at).is_ok()
    }

    /// Bytes of the index from `at` on.
    fn window(&self, at: u64, len: u64) -> Result<Vec<u8>> {
        let len = self.source.index_end().saturating_sub(at).min(len);
        let mut bytes = vec![0; usize::try_from(len).unwrap_or_default()];
        self.source.read(&mut bytes, at)?;
        Ok(bytes)
    }
}

fn entry_at(bytes: &[u8], at: usize) -> Option<Entry> {
    bytes.get(at..)?.first_chunk().map(Entry::read)
}
