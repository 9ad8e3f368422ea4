//! The sealed marks as a read filter: what is unmarked is absent from hot.
//!
//! One rule everywhere: "a hit in hot protects its subtree" would lose data once the purge has begun, because
//! the children of a block that is still there may be gone already.
//!
//! A block that is put, or found in cold, while the filter is on is marked together with everything below it
//! that is still there and whole (`whole.rs`). The new marks are noted in hot's log, in the batch that writes the block (`mark_notes.rs`
//! says why that is enough), and are relied on only afterwards (`growth.rs`).
//!
//! **Who waits for whom.** Readers of marked blocks wait for nobody, nor do walks for one another. Who wants to hold
//! a key back waits for one batch of the purge: its marks are checked and it is deleted in one step, without a sync
//! and without a walk. Readers of unmarked blocks wait for the last references of the run, once, at the seal.

use std::collections::HashSet;
use std::sync::Arc;

use cid::Cid;
use splitstore_domain::object::RAW;
use splitstore_domain::{BlockKey, ColdPolicy};
use splitstore_ports::{Block, Reading, Visit};

use crate::doom::Doom;
use crate::error::Result;
use crate::growth::{Growth, HeldBack, Hold, shard_of};
use crate::mark_notes;
use crate::protection::{Protection, Taken, reference_to};
use crate::sets::WalkSets;
use crate::sync::RwLock;
use crate::tiers::Tiers;
use crate::walk::{Leaves, Walker};
use crate::whole::Met;

/// Marks that are sealed, and those that came later.
pub(crate) struct Filter {
    sets: WalkSets,
    tiers: Tiers,
    /// The index of the run: notes carry it.
    run: u64,
    leaving: Leaving,
    /// Marks in the making.
    held_back: Arc<HeldBack>,
    /// References that came in last before the filter went on, and are not walked yet.
    last: RwLock<Taken>,
    /// What a rewrite of hot is about to leave out.
    doom: Arc<Doom>,
}

/// Where what leaves hot goes, as far as readers and writers can rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// Cold has all of it: nothing is lost below anything.
    ToCold,
    /// Some of it is nowhere then.
    ForGood,
}

impl Leaving {
    /// Of a run that drops so many blocks, in a store of this policy: which may be another than the run's.
    pub(crate) const fn of(policy: ColdPolicy, dropped: u64) -> Self {
        match (policy, dropped) {
            (ColdPolicy::Universal, 0) => Self::ToCold,
            _ => Self::ForGood,
        }
    }
}

impl Filter {
    pub(crate) fn new(sets: WalkSets, tiers: Tiers, run: u64, leaving: Leaving) -> Arc<Self> {
        let doom = Arc::<Doom>::default();
        let tiers = tiers.without(doom.clone());
        Arc::new(Self { sets, tiers, run, leaving, held_back: Arc::default(), last: RwLock::default(), doom })
    }

    /// Where goes what its run purges.
    pub(crate) const fn leaving(&self) -> Leaving {
        self.leaving
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
        let (growth, met) = self.walk(|walker, met| {
            references.iter().try_for_each(|reference| walker.push_reference(reference, met))
        })?;
        let is_there = |key: &&BlockKey| !met.lacks(key) && !self.doom.hides(key);
        let there = references.iter().map(|reference| &reference.key).filter(is_there);
        let there = there.cloned().collect();
        self.leave_out(&growth, met, &HashSet::new(), &there)?;
        let visits = growth.visits();
        if visits.is_empty() { Ok(()) } else { self.note(&growth, &[], None, &visits) }
    }

    /// Marks references that the marks file will hold.
    fn mark(&self, references: &Taken) -> Result<()> {
        let (growth, _met) = self.walk(|walker, met| walker.push_taken(references, met))?;
        growth.publish()
    }

    /// Marks a block that was found in cold, unless it is.
    pub(crate) fn protect_found(&self, cid: &Cid) -> Result<()> {
        let Some(reference) = reference_to(cid) else { return Ok(()) };
        if self.promises(&reference)? { Ok(()) } else { self.protect(&[reference]) }
    }

    /// Writes blocks with the marks of themselves and of all that is there below them, and whole.
    pub(crate) fn put(&self, blocks: &[Block<'_>], links: Option<&[u8]>) -> Result<()> {
        let (growth, met) = self.walk(|walker, met| {
            blocks.iter().try_for_each(|block| match reference_to(&block.cid) {
                Some(reference) => walker.offer(&reference, block.data, met),
                None => Ok(()),
            })
        })?;
        let put: HashSet<BlockKey> = blocks.iter().map(|block| BlockKey::from(&block.cid)).collect();
        self.leave_out(&growth, met, &put, &HashSet::new())?;
        let visits = growth.visits();
        // What a rewrite has decided on by now is older than what is written here.
        self.doom.spare(blocks);
        if visits.is_empty() {
            self.tiers.put(blocks, links)?;
            self.doom.written(blocks);
            return Ok(());
        }
        self.note(&growth, blocks, links, &visits)
    }

    /// Installs this filter, and walks the last references before any reader can see their blocks missing.
    pub(crate) fn install(self: &Arc<Self>, protection: &Protection) -> Result<u64> {
        let mut last = self.last.write();
        *last = protection.install(self.clone());
        let count = last.len();
        self.mark(&last)?;
        *last = Taken::default();
        Ok(count)
    }

    /// Deletes from hot those of these keys that are not marked. The check and the deletion are one step: no mark can
    /// come between them.
    pub(crate) fn purge(&self, keys: Vec<BlockKey>) -> Result<Purge> {
        self.settle()?;
        let mut purge = Purge::default();
        let held_back = self.held_back.lock_all();
        let doomed = self.sort_out(keys, |key| held_back.of(key), &mut purge)?;
        self.tiers.hot.delete_many(&doomed)?;
        self.doom.deleted(&doomed);
        Ok(purge)
    }

    /// Dooms those of these keys that are not marked, for a rewrite of hot to leave out. The check and the dooming are one step
    /// for each shard of what is held back.
    pub(crate) fn doom(&self, mut keys: Vec<BlockKey>) -> Result<Purge> {
        self.settle()?;
        let mut purge = Purge::default();
        keys.sort_by_key(|key| shard_of(key.as_bytes()));
        for same in keys.chunk_by(|one, other| shard_of(one.as_bytes()) == shard_of(other.as_bytes())) {
            let held_back = self.held_back.lock(shard_of(same[0].as_bytes()));
            let doomed = self.sort_out(same.to_vec(), |key| held_back.of(key), &mut purge)?;
            self.doom.add(&doomed);
        }
        purge.postponed.sort_unstable();
        Ok(purge)
    }

    /// Every candidate has been looked at: lets go of what failed puts have kept, as far as the purge had taken what is
    /// below it. These keys are to be purged after all.
    pub(crate) fn let_go(&self) -> Result<Vec<BlockKey>> {
        let kept = self.held_back.kept();
        if kept.is_empty() || self.leaving == Leaving::ToCold {
            return Ok(Vec::new());
        }
        let (growth, met) = self.walk(|walker, met| {
            kept.iter().try_for_each(|reference| walker.push_reference(reference, met))
        })?;
        let mut broken = met.not_whole(&growth.visits(), &HashSet::new(), &self.tiers)?;
        broken.retain(|key| kept.iter().any(|visit| visit.key == *key));
        self.held_back.let_go(&broken);
        let mut there = Vec::with_capacity(broken.len());
        for key in broken {
            // Of most failed puts nothing was there before.
            if self.tiers.hot.has(&key.to_cid(RAW))? {
                there.push(key);
            }
        }
        Ok(there)
    }

    /// What is doomed.
    pub(crate) const fn doomed(&self) -> &Arc<Doom> {
        &self.doom
    }

    /// Those of these keys that are not marked nor held back, for who keeps them from being held back until he has rid hot of
    /// them.
    fn sort_out(
        &self,
        keys: Vec<BlockKey>,
        hold_on: impl Fn(&BlockKey) -> Hold,
        purge: &mut Purge,
    ) -> Result<Vec<BlockKey>> {
        let marked = self.marked(&keys)?;
        let mut doomed = Vec::new();
        for (key, marked) in keys.into_iter().zip(marked) {
            match hold_on(&key) {
                _ if marked => purge.spared += 1,
                Hold::Kept => {
                    purge.spared += 1;
                    purge.kept += 1;
                }
                Hold::Walked => purge.postponed.push(key),
                Hold::Free => doomed.push(key),
            }
        }
        Ok(doomed)
    }

    /// The sets, to be sealed.
    pub(crate) const fn sets(&self) -> &WalkSets {
        &self.sets
    }

    fn marked(&self, keys: &[BlockKey]) -> Result<Vec<bool>> {
        Ok(self.sets.marked(keys)?)
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
        *last = Taken::default();
        Ok(())
    }

    /// Walks what `start` adds to its end. What fails leaves no trace.
    fn walk(&self, start: impl FnOnce(&mut Walker, &mut Met) -> Result<()>) -> Result<(Arc<Growth>, Met)> {
        let growth = Growth::new(self.sets.clone(), self.held_back.clone());
        let sets = WalkSets::new(growth.clone(), None);
        let mut walker = Walker::new(self.tiers.clone(), sets, Leaves::Mark);
        let mut met = Met::default();
        start(&mut walker, &mut met)?;
        walker.run(&mut met)?;
        Ok((growth, met))
    }

    /// Leaves out what is not whole, but for what is `put`, or `found` by whoever asks. Where cold takes all that
    /// leaves hot, nothing is lost below anything.
    fn leave_out(
        &self,
        growth: &Growth,
        met: Met,
        put: &HashSet<BlockKey>,
        found: &HashSet<BlockKey>,
    ) -> Result<()> {
        if self.leaving == Leaving::ToCold {
            return Ok(());
        }
        let broken = met.not_whole(&growth.visits(), put, &self.tiers)?;
        if !broken.is_empty() {
            growth.keep_only(|key| !broken.contains(key) || put.contains(key) || found.contains(key));
        }
        Ok(())
    }

    /// Blocks and note in one batch; then everybody may rely on the marks.
    fn note(
        &self,
        growth: &Growth,
        blocks: &[Block<'_>],
        links: Option<&[u8]>,
        visits: &[Visit],
    ) -> Result<()> {
        growth.written();
        self.tiers.put_marked(blocks, links, &mark_notes::encode(self.run, visits))?;
        self.doom.written(blocks);
        growth.publish()
    }
}

/// What one exclusive step came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Purge {
    /// Keys that stay.
    pub(crate) spared: u64,
    /// Those of them that are in a note which may not be in the log: a restart may know nothing of it.
    pub(crate) kept: u64,
    /// Keys that walks hold back at the moment: to be purged, or spared, later.
    pub(crate) postponed: Vec<BlockKey>,
}

#[cfg(all(test, not(interleaved)))]
mod tests;
