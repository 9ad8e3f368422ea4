//! The sealed marks as a read filter: what is unmarked is absent from hot.
//!
//! One rule everywhere: "a hit in hot protects its subtree" would lose data once the purge has begun, because
//! the children of a block that is still there may be gone already.
//!
//! A block that is put, or found in cold, while the filter is on is marked together with everything below it
//! that is still there. The new marks are noted in hot's log, in the batch that writes the block (`mark_notes.rs`
//! says why that is enough), and are relied on only afterwards (`growth.rs`).
//!
//! **Who waits for whom.** Readers of marked blocks wait for nobody, nor do walks for one another. Who wants to hold
//! a key back waits for one batch of the purge: its marks are checked and it is deleted in one step, without a sync
//! and without a walk. Readers of unmarked blocks wait for the last references of the run, once, at the seal.

use std::sync::Arc;

use cid::Cid;
use splitstore_domain::BlockKey;
use splitstore_domain::links::LinkError;
use splitstore_ports::{Block, Reading, Visit};

use crate::error::Result;
use crate::growth::{Growth, HeldBack};
use crate::mark_notes;
use crate::protection::{Protection, reference_to};
use crate::sync::RwLock;
use crate::tiers::Tiers;
use crate::walk::{Leaves, Missing, Sink, WalkSets, Walker};

/// Marks that are sealed, and those that came later.
pub(crate) struct Filter {
    sets: WalkSets,
    tiers: Tiers,
    /// The index of the run: notes carry it.
    run: u64,
    /// Marks in the making.
    held_back: Arc<HeldBack>,
    /// References that came in last before the filter went on, and are not walked yet.
    last: RwLock<Vec<Visit>>,
}

/// Whether marks are noted in hot's log.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Noting {
    /// The marks file will hold them.
    No,
    Yes,
}

impl Filter {
    pub(crate) fn new(sets: WalkSets, tiers: Tiers, run: u64) -> Arc<Self> {
        Arc::new(Self { sets, tiers, run, held_back: Arc::default(), last: RwLock::default() })
    }

    /// Whether hot still shows this block to a reader who names it by this CID.
    ///
    /// One that was marked as a leaf, and is now named as DAG-CBOR, promises what is below it from here on.
    pub(crate) fn shows(&self, cid: &Cid) -> Result<bool> {
        let Some(reference) = reference_to(cid) else { return Ok(false) };
        if self.promises(&reference)? {
            return Ok(true);
        }
        self.settle()?;
        if !self.marked(std::slice::from_ref(&reference.key))?.contains(&true) {
            return Ok(false);
        }
        self.protect(&[reference])?;
        Ok(true)
    }

    /// Marks these blocks and all that is left below them, in the log before this returns.
    pub(crate) fn protect(&self, references: &[Visit]) -> Result<()> {
        self.grow(references, Noting::Yes)
    }

    /// The same for references that the marks file will hold.
    pub(crate) fn mark(&self, references: &[Visit]) -> Result<()> {
        self.grow(references, Noting::No)
    }

    /// Marks a block that was found in cold, unless it is.
    pub(crate) fn protect_found(&self, cid: &Cid) -> Result<()> {
        let Some(reference) = reference_to(cid) else { return Ok(()) };
        if self.promises(&reference)? { Ok(()) } else { self.protect(&[reference]) }
    }

    /// Writes blocks with the marks of themselves and of all that is there below them.
    pub(crate) fn put(&self, blocks: &[Block<'_>]) -> Result<()> {
        let growth = self.walk(|walker| {
            blocks.iter().try_for_each(|block| match reference_to(&block.cid) {
                Some(reference) => walker.offer(&reference, block.data, &mut Tolerant),
                None => Ok(()),
            })
        })?;
        let visits = growth.visits();
        if visits.is_empty() {
            return Ok(self.tiers.hot.put_many(blocks)?);
        }
        self.note(&growth, blocks, &visits)
    }

    /// Installs this filter, and walks the last references before any reader can see their blocks missing.
    pub(crate) fn install(self: &Arc<Self>, protection: &Protection) -> Result<u64> {
        let mut last = self.last.write();
        *last = protection.install(self.clone());
        let count = last.len() as u64;
        self.mark(&last)?;
        last.clear();
        Ok(count)
    }

    /// Deletes from hot those of these keys that are not marked; how many it spared. The check and the deletion
    /// are one step: no mark can come between them.
    pub(crate) fn purge(&self, keys: Vec<BlockKey>) -> Result<u64> {
        self.settle()?;
        let held_back = self.held_back.lock();
        let marked = self.marked(&keys)?;
        let all = keys.len();
        let doomed = keys.into_iter().zip(marked).filter_map(|(key, marked)| (!marked).then_some(key));
        let doomed: Vec<BlockKey> = doomed.filter(|key| !held_back.contains_key(key)).collect();
        self.tiers.hot.delete_many(&doomed)?;
        Ok((all - doomed.len()) as u64)
    }

    /// The sets, to be sealed.
    pub(crate) const fn sets(&self) -> &WalkSets {
        &self.sets
    }

    fn marked(&self, keys: &[BlockKey]) -> Result<Vec<bool>> {
        self.sets.marked(keys)
    }

    /// Whether the block is marked, and what its reading promises is as well.
    fn promises(&self, reference: &Visit) -> Result<bool> {
        match reference.reading {
            Reading::Opaque => Ok(self.marked(std::slice::from_ref(&reference.key))?.contains(&true)),
            Reading::Dag | Reading::Header => self.sets.is_visited(reference),
        }
    }

    /// Waits for the last references; if their walk failed, it is done again.
    fn settle(&self) -> Result<()> {
        if self.last.read().is_empty() {
            return Ok(());
        }
        let mut last = self.last.write();
        self.mark(&last)?;
        last.clear();
        Ok(())
    }

    fn grow(&self, references: &[Visit], noting: Noting) -> Result<()> {
        let growth = self.walk(|walker| {
            references.iter().try_for_each(|reference| walker.push_reference(reference, &mut Tolerant))
        })?;
        let visits = growth.visits();
        if visits.is_empty() || noting == Noting::No {
            return growth.publish();
        }
        self.note(&growth, &[], &visits)
    }

    /// Walks what `start` adds to its end. What fails leaves no trace.
    fn walk(&self, start: impl FnOnce(&mut Walker) -> Result<()>) -> Result<Arc<Growth>> {
        let growth = Growth::new(self.sets.clone(), self.held_back.clone());
        let sets = WalkSets { visits: growth.clone(), marks: None };
        let mut walker = Walker::new(self.tiers.clone(), sets, Leaves::Mark);
        start(&mut walker)?;
        walker.run(&mut Tolerant)?;
        Ok(growth)
    }

    /// Blocks and note in one batch; then everybody may rely on the marks.
    fn note(&self, growth: &Growth, blocks: &[Block<'_>], visits: &[Visit]) -> Result<()> {
        growth.written();
        self.tiers.hot.put_many_noting(blocks, &mark_notes::encode(self.run, visits))?;
        growth.publish()
    }
}

/// What is missing below a reference is tolerated: it may be written yet.
struct Tolerant;

impl Sink for Tolerant {
    fn missing(&mut self, _missing: &Missing) -> Result<()> {
        Ok(())
    }

    fn malformed(&mut self, _cid: Cid, _source: LinkError) -> Result<()> {
        // Anybody can put such a block. Nobody can follow links in it, so it is kept as a leaf.
        Ok(())
    }
}

#[cfg(test)]
mod tests;
