//! The sealed marks as a read filter: what is unmarked is absent from hot.
//!
//! One rule everywhere: "a hit in hot protects its subtree" would lose data once the purge has begun, because
//! the children of a block that is still there may be gone already.
//!
//! A block that is put, or found in cold, while the filter is on is marked together with everything below it
//! that is still there, and the new marks are logged durably *before* the block is written: a crash in the
//! middle of the purge resumes with all of them.

use std::sync::Arc;

use cid::Cid;
use parking_lot::Mutex;
use splitstore_domain::BlockKey;
use splitstore_domain::links::LinkError;
use splitstore_ports::{Block, Visit};

use crate::error::{Error, Result};
use crate::protection::reference_to;
use crate::records::RecordWriter;
use crate::tiers::Tiers;
use crate::walk::{Leaves, Missing, Sink, WalkSets, Walker};

/// File name in a run's folder.
pub(crate) const REFERENCES: &str = "references";

/// Marks that are sealed, and the log of those that came later.
pub(crate) struct Filter {
    sets: WalkSets,
    tiers: Tiers,
    log: Mutex<RecordWriter>,
}

impl Filter {
    pub(crate) fn new(sets: WalkSets, tiers: Tiers, log: RecordWriter) -> Arc<Self> {
        Arc::new(Self { sets, tiers, log: Mutex::new(log) })
    }

    /// Which of these blocks hot still shows.
    pub(crate) fn marked(&self, keys: &[BlockKey]) -> Result<Vec<bool>> {
        self.sets.marked(keys)
    }

    /// Whether hot still shows this block to a reader who names it by this CID.
    ///
    /// A block that was marked as a leaf, and is now named as DAG-CBOR, promises what is below it from here on.
    pub(crate) fn shows(&self, cid: &Cid) -> Result<bool> {
        let marked = self.marked(&[BlockKey::from(cid)])?.contains(&true);
        if let Some(reference) = reference_to(cid).filter(|_| marked) {
            let mut first = Vec::with_capacity(1);
            self.sets.visit(std::slice::from_ref(&reference), &mut first)?;
            if first.contains(&true) {
                self.protect(&[reference])?;
            }
        }
        Ok(marked)
    }

    /// Marks these blocks and all that is left below them, durably.
    pub(crate) fn protect(&self, references: &[Visit]) -> Result<()> {
        let (mut walker, mut sink) = self.walker();
        for reference in references {
            walker.push_reference(reference, &mut sink)?;
        }
        walker.run(&mut sink)?;
        self.log(&sink)
    }

    /// Marks blocks that are about to be written, and all that is there below them, durably.
    pub(crate) fn protect_blocks(&self, blocks: &[Block<'_>]) -> Result<()> {
        let (mut walker, mut sink) = self.walker();
        for block in blocks {
            if let Some(reference) = reference_to(&block.cid) {
                walker.offer(&reference, block.data, &mut sink)?;
            }
        }
        walker.run(&mut sink)?;
        self.log(&sink)
    }

    fn walker(&self) -> (Walker, NewMarks) {
        (Walker::new(self.tiers.clone(), self.sets.clone(), Leaves::Mark), NewMarks::default())
    }

    fn log(&self, new: &NewMarks) -> Result<()> {
        if new.keys.is_empty() {
            return Ok(());
        }
        let mut log = self.log.lock();
        for payload in new.payloads() {
            log.append(&payload)?;
        }
        log.sync()
    }
}

/// Collects what a walk marks; what is missing below a reference is tolerated, it may be written yet.
#[derive(Default)]
struct NewMarks {
    keys: Vec<BlockKey>,
}

impl NewMarks {
    /// Records of the log: keys, each after its length as one byte.
    fn payloads(&self) -> impl Iterator<Item = Vec<u8>> {
        self.keys.chunks(4096).map(|keys| {
            let fields = keys.iter().map(BlockKey::as_bytes);
            fields.flat_map(|key| std::iter::once(short_len(key)).chain(key.iter().copied())).collect()
        })
    }
}

fn short_len(key: &[u8]) -> u8 {
    u8::try_from(key.len()).expect("multihashes are at most 80 bytes")
}

/// Reads the keys of one record of the log; `None` if it is no list of keys.
pub(crate) fn decode_keys(mut payload: &[u8]) -> Option<Vec<BlockKey>> {
    let mut keys = Vec::new();
    while let Some((len, rest)) = payload.split_first() {
        let (key, rest) = rest.split_at_checked((*len).into())?;
        keys.push(BlockKey::from_bytes(key).ok()?);
        payload = rest;
    }
    Some(keys)
}

impl Sink for NewMarks {
    fn marked(&mut self, key: &BlockKey) {
        self.keys.push(key.clone());
    }

    fn missing(&mut self, _missing: &Missing) -> Result<()> {
        Ok(())
    }

    fn malformed(&mut self, cid: Cid, source: LinkError) -> Result<()> {
        Err(Error::Malformed { cid, source })
    }
}
