//! Purge: candidates that are still unmarked are deleted from hot, one bounded batch at a time.
//!
//! ```text
//!   chunk of 1024: 4 x { take the gate alone: check marks, delete 256, release }
//!   every 16 chunks: sync hot, then the cursor     a power cut never leaves a cursor ahead of its deletes
//! ```
//! The live run and recovery share this code; recovery brings its marks from disk.

use std::sync::Arc;

use splitstore_domain::{BlockKey, PhaseReport};
use splitstore_ports::MarkSet;

use super::seal::Sealed;
use super::{Advance, Work, count};
use crate::candidates::{Candidate, CandidateReader};
use crate::error::Result;
use crate::journal::Fact;
use crate::store::Inner;
use crate::walk::WalkSets;

/// Keys checked and deleted while the gate is held alone.
const EXCLUSIVE_BATCH: usize = 256;
/// Chunks between two durable cursors.
const CHUNKS_PER_CURSOR: u64 = 16;

/// Evidence: no unmarked candidate is left in hot, durably.
pub(crate) struct Purged {
    pub(crate) work: Work,
    pub(crate) marked: u64,
    /// Candidates that were marked after all.
    pub(crate) spared: u64,
}

/// The phase under way.
pub(crate) struct Purging {
    work: Work,
    marks: Marks,
    candidates: CandidateReader,
    next: u64,
    marked: u64,
    spared: u64,
}

/// What is asked before each deletion.
pub(crate) enum Marks {
    /// The sets of this run.
    Live(WalkSets),
    /// Marks read back after a restart.
    Recovered(Arc<dyn MarkSet>),
}

impl Purging {
    pub(crate) fn new(cx: &Inner, sealed: Sealed) -> Result<Self> {
        let Sealed { work, sets, marked } = sealed;
        Self::from_cursor(cx, work, Marks::Live(sets), (marked, 0))
    }

    /// Goes on at `cursor`, with marks from wherever.
    pub(crate) fn from_cursor(cx: &Inner, work: Work, marks: Marks, at: (u64, u64)) -> Result<Self> {
        let (marked, cursor) = at;
        let mut candidates = CandidateReader::open(&*cx.files, &work.folder)?;
        for _ in 0..cursor {
            candidates.next_chunk()?;
        }
        Ok(Self { work, marks, candidates, next: cursor, marked, spared: 0 })
    }

    pub(crate) fn step(mut self, cx: &Inner, meter: &mut PhaseReport) -> Result<Advance<Self, Purged>> {
        let Some(chunk) = self.candidates.next_chunk()? else {
            self.save_cursor(cx)?;
            let Self { work, marked, spared, .. } = self;
            return Ok(Advance::Done(Purged { work, marked, spared }));
        };
        for batch in chunk.chunks(EXCLUSIVE_BATCH) {
            self.purge(cx, batch, meter)?;
        }
        self.next += 1;
        if self.next.is_multiple_of(CHUNKS_PER_CURSOR) {
            self.save_cursor(cx)?;
        }
        Ok(Advance::More(self))
    }

    /// The check and the deletion are one exclusive step: a reference cannot come between them.
    fn purge(&mut self, cx: &Inner, batch: &[Candidate], meter: &mut PhaseReport) -> Result<()> {
        let keys: Vec<BlockKey> = batch.iter().map(|candidate| candidate.key.clone()).collect();
        let gate = cx.protection.exclusive();
        let mut marked = self.marks.marked(&keys)?;
        if let Some(filter) = gate.filter() {
            // After a failed purge the marks come from disk, while new ones still go to the filter.
            let shown = filter.marked(&keys)?;
            marked.iter_mut().zip(shown).for_each(|(marked, shown)| *marked |= shown);
        }
        let doomed = keys.into_iter().zip(&marked).filter_map(|(key, marked)| (!marked).then_some(key));
        let doomed: Vec<BlockKey> = doomed.collect();
        cx.tiers.hot.delete_many(&doomed)?;
        drop(gate);
        count(meter, doomed.len() as u64, 0);
        self.spared += marked.iter().filter(|marked| **marked).count() as u64;
        Ok(())
    }

    fn save_cursor(&mut self, cx: &Inner) -> Result<()> {
        cx.tiers.hot.sync()?;
        self.work.journal.note(Fact::Cursor { chunk: self.next })
    }
}

impl Marks {
    fn marked(&self, keys: &[BlockKey]) -> Result<Vec<bool>> {
        match self {
            Self::Live(sets) => sets.marked(keys),
            Self::Recovered(marks) => {
                let mut answers = Vec::with_capacity(keys.len());
                marks.has_many(keys, &mut answers)?;
                Ok(answers)
            }
        }
    }
}
