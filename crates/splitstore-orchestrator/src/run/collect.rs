//! Collect: every key that hot holds, against the marks. Only what this scan saw can be deleted.
//!
//! The scan reads a snapshot taken after protection went on, so a block written later is no candidate, and a
//! block that is here but was written again meanwhile is a reference.

use splitstore_domain::{BlockKey, ColdPolicy, CompactionPlan, PhaseReport, Tally};
use splitstore_ports::{KeyCursor, KeyEntry};

use super::mark::Marked;
use super::{Advance, Work, count};
use crate::candidates::{CandidateWriter, Fate};
use crate::error::Result;
use crate::store::Inner;
use crate::walk::WalkSets;

/// Evidence: the candidates are written, durably.
pub(crate) struct Collected {
    pub(crate) work: Work,
    pub(crate) sets: WalkSets,
    pub(crate) plan: CompactionPlan,
    pub(crate) chunks: u64,
}

/// The phase under way.
pub(crate) struct Collecting<'a> {
    marked: Marked,
    cursor: Box<dyn KeyCursor + 'a>,
    candidates: CandidateWriter,
    plan: CompactionPlan,
    batch: Vec<KeyEntry>,
}

impl<'a> Collecting<'a> {
    pub(crate) fn new(cx: &'a Inner, marked: Marked) -> Result<Self> {
        let plan = CompactionPlan {
            window: marked.work.window,
            policy: cx.options.policy.cold(),
            keep: Tally::default(),
            transfer: Tally::default(),
            drop: Tally::default(),
            missing: marked.missing.count,
            missing_listed: marked.missing.listed.clone(),
        };
        let candidates = CandidateWriter::create(&cx.files, &marked.work.folder, cx.options.batches.chunk)?;
        let cursor = cx.tiers.hot.keys()?;
        Ok(Self { marked, cursor, candidates, plan, batch: Vec::new() })
    }

    pub(crate) fn step(mut self, cx: &Inner, meter: &mut PhaseReport) -> Result<Advance<Self, Collected>> {
        self.batch.clear();
        self.cursor.next_batch(&mut self.batch, cx.options.batches.scan.get())?;
        if self.batch.is_empty() {
            return self.done(cx).map(Advance::Done);
        }
        count(meter, self.batch.len() as u64, self.batch.iter().map(|entry| entry.size).sum());
        let keys: Vec<BlockKey> = self.batch.iter().map(|entry| entry.key.clone()).collect();
        let live = self.marked.sets.marked(&keys)?;
        let moving = self.moving(&keys)?;
        for (index, entry) in self.batch.iter().enumerate() {
            if live[index] {
                self.plan.keep.add(entry.size);
            } else if moving[index] {
                self.plan.transfer.add(entry.size);
                self.candidates.push(Fate::Transfer, entry)?;
            } else {
                self.plan.drop.add(entry.size);
                self.candidates.push(Fate::Drop, entry)?;
            }
        }
        Ok(Advance::More(self))
    }

    /// Which keys move to cold if they are not live.
    fn moving(&self, keys: &[BlockKey]) -> Result<Vec<bool>> {
        match (self.plan.policy, &self.marked.moving) {
            (ColdPolicy::Universal, _) => Ok(vec![true; keys.len()]),
            (ColdPolicy::Messages, Some(moving)) => moving.marked(keys),
            (ColdPolicy::Messages | ColdPolicy::Discard, _) => Ok(vec![false; keys.len()]),
        }
    }

    fn done(self, cx: &Inner) -> Result<Collected> {
        let Marked { work, sets, .. } = self.marked;
        let chunks = self.candidates.finish(&*cx.files, &work.folder)?;
        Ok(Collected { work, sets, plan: self.plan, chunks })
    }
}
