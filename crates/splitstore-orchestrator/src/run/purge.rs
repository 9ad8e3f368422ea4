//! Purge: candidates that are still unmarked are deleted from hot, one bounded batch at a time.
//!
//! ```text
//!   chunk: n x { check marks and delete an exclusive batch while nothing can be marked }
//!   every few chunks: sync hot, then the cursor    a power cut never leaves a cursor ahead of its deletes
//! ```
//! The live run and recovery share this code; recovery brings its marks from disk.

use std::sync::Arc;

use splitstore_domain::{BlockKey, PhaseReport};

use super::seal::Sealed;
use super::{Advance, Work, count};
use crate::candidates::CandidateReader;
use crate::error::Result;
use crate::filter::Filter;
use crate::journal::Fact;
use crate::store::Inner;

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
    filter: Arc<Filter>,
    candidates: CandidateReader,
    next: u64,
    marked: u64,
    spared: u64,
}

impl Purging {
    pub(crate) fn new(cx: &Inner, sealed: Sealed) -> Result<Self> {
        let Sealed { work, filter, marked } = sealed;
        Self::from_cursor(cx, work, filter, (marked, 0))
    }

    /// Goes on at `cursor`, with a filter that may come from a run before the last restart.
    pub(crate) fn from_cursor(cx: &Inner, work: Work, filter: Arc<Filter>, at: (u64, u64)) -> Result<Self> {
        let (marked, cursor) = at;
        let mut candidates = CandidateReader::open(&*cx.files, &work.folder)?;
        for _ in 0..cursor {
            candidates.next_chunk()?;
        }
        Ok(Self { work, filter, candidates, next: cursor, marked, spared: 0 })
    }

    pub(crate) fn step(mut self, cx: &Inner, meter: &mut PhaseReport) -> Result<Advance<Self, Purged>> {
        let Some(chunk) = self.candidates.next_chunk()? else {
            self.save_cursor(cx)?;
            let Self { work, marked, spared, .. } = self;
            return Ok(Advance::Done(Purged { work, marked, spared }));
        };
        for batch in chunk.chunks(cx.options.batches.exclusive.get()) {
            let keys: Vec<BlockKey> = batch.iter().map(|candidate| candidate.key.clone()).collect();
            let spared = self.filter.purge(keys)?;
            self.spared += spared;
            count(meter, batch.len() as u64 - spared, 0);
        }
        self.next += 1;
        if self.next.is_multiple_of(cx.options.batches.cursor.get() as u64) {
            self.save_cursor(cx)?;
        }
        Ok(Advance::More(self))
    }

    fn save_cursor(&mut self, cx: &Inner) -> Result<()> {
        cx.tiers.hot.sync()?;
        self.work.journal.note(Fact::Cursor { chunk: self.next })
    }
}
