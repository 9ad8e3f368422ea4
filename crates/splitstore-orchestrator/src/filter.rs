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
use splitstore_ports::{Block, Reading, Visit};

use crate::error::Result;
use crate::protection::{Protection, reference_to};
use crate::records::RecordWriter;
use crate::tiers::Tiers;
use crate::walk::{Leaves, Missing, Sink, WalkSets, Walker};

/// File name in a run's folder.
pub(crate) const REFERENCES: &str = "references";

/// Marks that are sealed, and the log of those that came later.
pub(crate) struct Filter {
    sets: WalkSets,
    tiers: Tiers,
    /// Held while marks grow, and while one batch is purged: whoever holds it sees nothing marked whose
    /// children are not.
    walking: Mutex<()>,
    log: Mutex<RecordWriter>,
}

impl Filter {
    pub(crate) fn new(sets: WalkSets, tiers: Tiers, log: RecordWriter) -> Arc<Self> {
        Arc::new(Self { sets, tiers, walking: Mutex::new(()), log: Mutex::new(log) })
    }

    /// Whether hot still shows this block to a reader who names it by this CID.
    ///
    /// A block that is not marked may be about to be, by a walk under way: then it is waited for. One that was
    /// marked as a leaf, and is now named as DAG-CBOR, promises what is below it from here on.
    pub(crate) fn shows(&self, cid: &Cid) -> Result<bool> {
        let Some(reference) = reference_to(cid) else { return Ok(false) };
        if self.promises(&reference)? {
            return Ok(true);
        }
        let walking = self.walking.lock();
        if !self.marked(std::slice::from_ref(&reference.key))?.contains(&true) {
            return Ok(false);
        }
        let new = self.walk(&[reference])?;
        drop(walking);
        self.log(&new)?;
        Ok(true)
    }

    /// Marks these blocks and all that is left below them, durably.
    pub(crate) fn protect(&self, references: &[Visit]) -> Result<()> {
        let new = {
            let _walking = self.walking.lock();
            self.walk(references)?
        };
        self.log(&new)
    }

    /// Marks blocks that are about to be written, and all that is there below them, durably.
    pub(crate) fn protect_blocks(&self, blocks: &[Block<'_>]) -> Result<()> {
        let new = {
            let _walking = self.walking.lock();
            let (mut walker, mut sink) = self.walker();
            for block in blocks {
                if let Some(reference) = reference_to(&block.cid) {
                    walker.offer(&reference, block.data, &mut sink)?;
                }
            }
            walker.run(&mut sink)?;
            sink
        };
        self.log(&new)
    }

    /// Installs this filter, and walks the last references before any reader can see their blocks missing.
    pub(crate) fn install(self: &Arc<Self>, protection: &Protection) -> Result<u64> {
        let walking = self.walking.lock();
        let last = protection.install(self.clone());
        let new = self.walk(&last)?;
        drop(walking);
        self.log(&new)?;
        Ok(last.len() as u64)
    }

    /// Deletes from hot those of these keys that are not marked; how many it spared. The check and the deletion
    /// are one step under the lock: no mark can come between them.
    pub(crate) fn purge(&self, keys: Vec<BlockKey>) -> Result<u64> {
        let _walking = self.walking.lock();
        let marked = self.marked(&keys)?;
        let spared = marked.iter().filter(|marked| **marked).count();
        let doomed = keys.into_iter().zip(marked).filter_map(|(key, marked)| (!marked).then_some(key));
        self.tiers.hot.delete_many(&doomed.collect::<Vec<_>>())?;
        Ok(spared as u64)
    }

    /// The sets, to be sealed.
    pub(crate) const fn sets(&self) -> &WalkSets {
        &self.sets
    }

    fn marked(&self, keys: &[BlockKey]) -> Result<Vec<bool>> {
        self.sets.marked(keys)
    }

    /// Whether the block is marked, and what its reading promises is walked.
    fn promises(&self, reference: &Visit) -> Result<bool> {
        match reference.reading {
            Reading::Opaque => Ok(self.marked(std::slice::from_ref(&reference.key))?.contains(&true)),
            Reading::Dag | Reading::Header => self.sets.is_visited(reference),
        }
    }

    /// Marks references and all that is left below them; the caller holds `walking`.
    fn walk(&self, references: &[Visit]) -> Result<NewMarks> {
        let (mut walker, mut sink) = self.walker();
        for reference in references {
            walker.push_reference(reference, &mut sink)?;
        }
        walker.run(&mut sink)?;
        Ok(sink)
    }

    fn walker(&self) -> (Walker, NewMarks) {
        (Walker::new(self.tiers.clone(), self.sets.clone(), Leaves::Mark), NewMarks::default())
    }

    fn log(&self, new: &NewMarks) -> Result<()> {
        if new.visits.is_empty() {
            return Ok(());
        }
        let mut log = self.log.lock();
        for payload in new.payloads() {
            log.append(&payload)?;
        }
        log.sync()
    }
}

/// Collects what a walk visits; what is missing below a reference is tolerated, it may be written yet.
#[derive(Default)]
struct NewMarks {
    visits: Vec<Visit>,
}

impl NewMarks {
    /// Records of the log: per visit its reading, the key's length and the key.
    fn payloads(&self) -> impl Iterator<Item = Vec<u8>> {
        self.visits.chunks(4096).map(|visits| {
            let mut payload = Vec::with_capacity(visits.len() * 40);
            for Visit { key, reading } in visits {
                let key = key.as_bytes();
                let len = u8::try_from(key.len()).expect("multihashes are at most 80 bytes");
                payload.extend_from_slice(&[*reading as u8, len]);
                payload.extend_from_slice(key);
            }
            payload
        })
    }
}

/// Reads the visits of one record of the log; `None` if it is no list of visits.
pub(crate) fn decode_visits(mut payload: &[u8]) -> Option<Vec<Visit>> {
    let mut visits = Vec::new();
    while let Some((&[reading, len], rest)) = payload.split_first_chunk::<2>() {
        let reading =
            [Reading::Opaque, Reading::Dag, Reading::Header].into_iter().find(|r| *r as u8 == reading)?;
        let (key, rest) = rest.split_at_checked(len.into())?;
        visits.push(Visit { key: BlockKey::from_bytes(key).ok()?, reading });
        payload = rest;
    }
    payload.is_empty().then_some(visits)
}

impl Sink for NewMarks {
    fn marked(&mut self, visit: &Visit) {
        self.visits.push(visit.clone());
    }

    fn missing(&mut self, _missing: &Missing) -> Result<()> {
        Ok(())
    }

    fn malformed(&mut self, _cid: Cid, _source: LinkError) -> Result<()> {
        // Anybody can put such a block. Nobody can follow links in it, so it is kept as a leaf.
        Ok(())
    }
}
