//! The pack: the marked part of a graph in one file, written at the end of a run and read at the beginning of the next.
//!
//! ```text
//!   head     0 | run u64 | era u64 | fingerprint of the secret u64 | blocks u64
//!   groups   1 | header length u8 | header | keys u32 ..
//!   blocks   2 | id u64 ..      3 | check u64 ..      4 | count u8 ..      5 | word u32 ..      65536 blocks at a time
//!   end      6 | blocks u64 | words u64
//! ```
//! Each line is a record of [`crate::records`], with its checksum; integers are little-endian; what the arrays mean is in
//! `graph/index.rs` and `graph/links.rs`. A pack without its end, or whose arrays do not fit together, is damaged.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use splitstore_ports::FileSystem;

use crate::error::{Error, Result};
use crate::graph::{Parts, Survivors};
use crate::records::{FileKind, RecordReader, RecordWriter};

const HEAD: u8 = 0;
const GROUPS: u8 = 1;
const IDS: u8 = 2;
const CHECKS: u8 = 3;
const COUNTS: u8 = 4;
const WORDS: u8 = 5;
const END: u8 = 6;

/// Blocks written in one step.
const STEP: usize = 1 << 16;
/// Words in one record, at most.
const WORDS_MAX: usize = 1 << 18;

/// What a pack says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// The run that wrote it.
    pub(crate) run: u64,
    /// Notes from this era on are not in it.
    pub(crate) era: u64,
    /// Of the secret that its names are made under.
    pub(crate) fingerprint: u64,
    /// How many it holds.
    pub(crate) blocks: u64,
}

/// Writes a pack, some blocks at a time.
pub(crate) struct PackWriter {
    records: RecordWriter,
    survivors: Survivors,
    at: usize,
    words: u64,
}

impl PackWriter {
    pub(crate) fn create(
        files: &Arc<dyn FileSystem>,
        path: &Path,
        head: Head,
        survivors: Survivors,
    ) -> Result<Self> {
        let mut records = RecordWriter::create(files, path, FileKind::Links)?;
        let numbers = [head.run, head.era, head.fingerprint, head.blocks];
        records.append(&record(HEAD, numbers.into_iter().flat_map(u64::to_le_bytes)))?;
        let mut groups = vec![GROUPS];
        for (header, keys) in survivors.groups() {
            groups.push(u8::try_from(header.len()).expect("two varints"));
            groups.extend_from_slice(header);
            groups.extend_from_slice(&keys.to_le_bytes());
        }
        records.append(&groups)?;
        Ok(Self { records, survivors, at: 0, words: 0 })
    }

    /// Writes some more; `None` when all is written and durable, but for its name.
    pub(crate) fn step(mut self) -> Result<Option<Self>> {
        let begin = self.at;
        self.at = (begin + STEP).min(self.survivors.len());
        if begin == self.at {
            let end = [self.at as u64, self.words];
            self.records.append(&record(END, end.into_iter().flat_map(u64::to_le_bytes)))?;
            self.records.sync()?;
            return Ok(None);
        }
        let ids = self.survivors.keys(begin..self.at).flat_map(|(id, _)| id.to_le_bytes());
        self.records.append(&record(IDS, ids))?;
        let checks = self.survivors.keys(begin..self.at).flat_map(|(_, check)| check.to_le_bytes());
        self.records.append(&record(CHECKS, checks))?;
        let (mut counts, mut words) = (vec![COUNTS], Vec::new());
        self.survivors.links(begin..self.at, &mut counts, &mut words);
        self.records.append(&counts)?;
        for words in words.chunks(WORDS_MAX) {
            self.records.append(&record(WORDS, words.iter().flat_map(|word| word.to_le_bytes())))?;
        }
        self.words += words.len() as u64;
        Ok(Some(self))
    }
}

fn record(tag: u8, bytes: impl Iterator<Item = u8>) -> Vec<u8> {
    let mut record = Vec::with_capacity(1 + (STEP + 8) * 8);
    record.push(tag);
    record.extend(bytes);
    record
}

/// A pack whose head was read.
pub(crate) struct PackReader {
    pub(crate) head: Head,
    records: RecordReader,
}

impl PackReader {
    /// `None` if there is no such file.
    pub(crate) fn open(files: &dyn FileSystem, path: &Path) -> Result<Option<Self>> {
        let Some(mut records) = RecordReader::open(files, path, FileKind::Links)? else {
            // A file that was never written is there and is none.
            let there = files.open(path)?.is_some();
            return if there { Err(damage(path, "it is empty")) } else { Ok(None) };
        };
        let head = records.next_record()?;
        let head = head.as_deref().and_then(|head| decode_head(head.strip_prefix(&[HEAD])?));
        let head = head.ok_or_else(|| records.damage("its head is cut"))?;
        Ok(Some(Self { head, records }))
    }

    /// Reads the rest.
    pub(crate) fn read(mut self) -> Result<Parts> {
        let blocks = usize::try_from(self.head.blocks).unwrap_or(usize::MAX);
        if blocks > crate::graph::BLOCKS_MAX as usize {
            return Err(self.records.damage("it claims more blocks than there can be"));
        }
        let mut parts = Parts::with_capacity(blocks);
        let mut record = Vec::new();
        let end = loop {
            let is_there = self.records.next_into(&mut record)?;
            let Some((tag, bytes)) = record.split_first().filter(|_| is_there) else {
                return Err(self.records.damage("it is cut"));
            };
            match *tag {
                GROUPS => parts.groups = self.groups(bytes)?,
                IDS => parts.ids.extend(numbers(bytes)),
                CHECKS => parts.checks.extend(numbers(bytes)),
                COUNTS => parts.counts.extend_from_slice(bytes),
                WORDS => parts.words.extend(words(bytes)),
                END => break [numbers(bytes).next(), numbers(bytes).nth(1)],
                _ => return Err(self.records.damage("it holds something of no known kind")),
            }
        };
        if end != [Some(parts.ids.len() as u64), Some(parts.words.len() as u64)] || parts.ids.len() != blocks
        {
            return Err(self.records.damage("it holds another number of blocks or links than it says"));
        }
        parts.fault().map_or(Ok(parts), |fault| Err(self.records.damage(fault)))
    }

    fn groups(&self, mut bytes: &[u8]) -> Result<Vec<(Box<[u8]>, u32)>> {
        let mut groups = Vec::new();
        while let Some((len, rest)) = bytes.split_first() {
            let group = rest.split_at_checked((*len).into());
            let group = group.and_then(|(header, rest)| Some((header, rest.split_first_chunk::<4>()?)));
            let Some((header, (keys, rest))) = group else {
                return Err(self.records.damage("its headers of keys are cut"));
            };
            groups.push((header.into(), u32::from_le_bytes(*keys)));
            bytes = rest;
        }
        Ok(groups)
    }
}

fn decode_head(bytes: &[u8]) -> Option<Head> {
    let mut numbers = numbers(bytes);
    let mut next = || numbers.next();
    Some(Head { run: next()?, era: next()?, fingerprint: next()?, blocks: next()? })
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u64> + '_ {
    bytes.as_chunks::<8>().0.iter().map(|number| u64::from_le_bytes(*number))
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word))
}

fn damage(path: &Path, fault: &'static str) -> Error {
    Error::DamagedFile { path: PathBuf::from(path), fault }
}
