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
use splitstore_domain::BlockKey;
use splitstore_domain::links::LinkError;
use splitstore_ports::{Block, Reading, Visit};

use crate::error::Result;
use crate::protection::{Protection, reference_to};
use crate::records::RecordWriter;
use crate::sync::{AtomicBool, Mutex, Ordering};
use crate::tiers::Tiers;
use crate::walk::{Leaves, Missing, Sink, WalkSets, Walker};

/// File name in a run's folder.
pub(crate) const REFERENCES: &str = "references";

/// Marks that are sealed, and the log of those that came later.
pub(crate) struct Filter {
    sets: WalkSets,
    tiers: Tiers,
    /// Held while marks grow, and while one batch is purged: whoever holds it, with `unsettled` false, sees nothing
    /// marked whose children are not, and nothing marked that is not logged.
    growth: Mutex<Growth>,
    /// Marks are growing, or a walk or a write of the log has failed: what is marked now may not be kept yet.
    unsettled: AtomicBool,
}

/// What growing marks leaves to do when it fails half-way.
struct Growth {
    log: RecordWriter,
    /// Marked, not logged.
    unlogged: Vec<Visit>,
    /// Visited by walks that failed: to be read again.
    unwalked: Vec<Visit>,
}

impl Filter {
    pub(crate) fn new(sets: WalkSets, tiers: Tiers, log: RecordWriter) -> Arc<Self> {
        let growth = Growth { log, unlogged: Vec::new(), unwalked: Vec::new() };
        Arc::new(Self { sets, tiers, growth: Mutex::new(growth), unsettled: AtomicBool::new(false) })
    }

    /// Whether hot still shows this block to a reader who names it by this CID.
    ///
    /// A block that is not marked may be about to be, by a walk under way: then it is waited for. One that was
    /// marked as a leaf, and is now named as DAG-CBOR, promises what is below it from here on.
    pub(crate) fn shows(&self, cid: &Cid) -> Result<bool> {
        let Some(reference) = reference_to(cid) else { return Ok(false) };
        if self.promises(&reference)? && !self.unsettled.load(Ordering::SeqCst) {
            return Ok(true);
        }
        let mut growth = self.growth.lock();
        if !self.marked(std::slice::from_ref(&reference.key))?.contains(&true) {
            return Ok(false);
        }
        let again = if self.promises(&reference)? { None } else { Some(reference) };
        self.grow(&mut growth, |walker, sink| push_all(walker, again.as_slice(), sink))?;
        Ok(true)
    }

    /// Marks these blocks and all that is left below them, durably.
    pub(crate) fn protect(&self, references: &[Visit]) -> Result<()> {
        self.grow(&mut self.growth.lock(), |walker, sink| push_all(walker, references, sink))
    }

    /// Marks blocks that are about to be written, and all that is there below them, durably.
    pub(crate) fn protect_blocks(&self, blocks: &[Block<'_>]) -> Result<()> {
        self.grow(&mut self.growth.lock(), |walker, sink| {
            blocks.iter().try_for_each(|block| match reference_to(&block.cid) {
                Some(reference) => walker.offer(&reference, block.data, sink),
                None => Ok(()),
            })
        })
    }

    /// Installs this filter, and walks the last references before any reader can see their blocks missing.
    pub(crate) fn install(self: &Arc<Self>, protection: &Protection) -> Result<u64> {
        let mut growth = self.growth.lock();
        let last = protection.install(self.clone());
        self.grow(&mut growth, |walker, sink| push_all(walker, &last, sink))?;
        Ok(last.len() as u64)
    }

    /// Deletes from hot those of these keys that are not marked; how many it spared. The check and the deletion
    /// are one step under the lock: no mark can come between them. What a failed walk left is walked first.
    pub(crate) fn purge(&self, keys: Vec<BlockKey>) -> Result<u64> {
        let mut growth = self.growth.lock();
        if self.unsettled.load(Ordering::SeqCst) {
            self.grow(&mut growth, |_, _| Ok(()))?;
        }
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

    /// Whether the block is marked, and what its reading promises is walked, or is being walked.
    fn promises(&self, reference: &Visit) -> Result<bool> {
        match reference.reading {
            Reading::Opaque => Ok(self.marked(std::slice::from_ref(&reference.key))?.contains(&true)),
            Reading::Dag | Reading::Header => self.sets.is_visited(reference),
        }
    }

    /// Walks what `start` adds, and what an earlier failure left, to its end; then logs all of it.
    fn grow(
        &self,
        growth: &mut Growth,
        start: impl FnOnce(&mut Walker, &mut NewMarks) -> Result<()>,
    ) -> Result<()> {
        self.unsettled.store(true, Ordering::SeqCst);
        let mut walker = Walker::new(self.tiers.clone(), self.sets.clone(), Leaves::Mark);
        let mut sink = NewMarks::default();
        let again = push_all(&mut walker, &growth.unwalked, &mut sink);
        let walked = again
            .and_then(|()| start(&mut walker, &mut sink))
            .and_then(|()| walker.run(&mut sink).map(|_| ()));
        growth.unlogged.extend_from_slice(&sink.visits);
        if let Err(error) = walked {
            growth.unwalked.append(&mut sink.visits);
            return Err(error);
        }
        growth.unwalked.clear();
        growth.write_log()?;
        self.unsettled.store(false, Ordering::SeqCst);
        Ok(())
    }
}

impl Growth {
    fn write_log(&mut self) -> Result<()> {
        if self.unlogged.is_empty() {
            return Ok(());
        }
        for payload in payloads(&self.unlogged) {
            self.log.append(&payload)?;
        }
        self.log.sync()?;
        self.unlogged.clear();
        Ok(())
    }
}

fn push_all(walker: &mut Walker, references: &[Visit], sink: &mut NewMarks) -> Result<()> {
    references.iter().try_for_each(|reference| walker.push_reference(reference, sink))
}

/// Records of the log: per visit its reading, the key's length and the key.
fn payloads(visits: &[Visit]) -> impl Iterator<Item = Vec<u8>> {
    visits.chunks(4096).map(|visits| {
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

/// Collects what a walk visits; what is missing below a reference is tolerated, it may be written yet.
#[derive(Default)]
struct NewMarks {
    visits: Vec<Visit>,
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
