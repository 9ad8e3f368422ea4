//! Purge: candidates that are still unmarked are deleted from hot, one bounded batch at a time.
//!
//! ```text
//!   chunk: n x { check marks and delete an exclusive batch while nothing can be held back, 5 ms at most }
//!   every few chunks: sync hot, then the cursor    a power cut never leaves a cursor ahead of its deletes
//! ```
//! The live run and recovery share this code; recovery brings its marks from disk.

use std::sync::Arc;
use std::time::Duration;

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
    exclusive: Exclusive,
}

/// How many keys one exclusive step takes: as many as the options allow, fewer while the disk is slow.
struct Exclusive {
    keys: usize,
    most: usize,
}

/// Who wants to hold a key back waits no longer than this for one step.
const EXCLUSIVE_TIME: Duration = Duration::from_millis(5);

impl Exclusive {
    const fn up_to(most: usize) -> Self {
        Self { keys: most, most }
    }

    fn took(&mut self, time: Duration) {
        if time > EXCLUSIVE_TIME {
            self.keys = (self.keys / 2).max(1);
        } else if time < EXCLUSIVE_TIME / 4 {
            self.keys = (self.keys * 2).min(self.most);
        }
    }
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
        let exclusive = Exclusive::up_to(cx.options.batches.exclusive.get());
        Ok(Self { work, filter, candidates, next: cursor, marked, spared: 0, exclusive })
    }

    pub(crate) fn step(mut self, cx: &Inner, meter: &mut PhaseReport) -> Result<Advance<Self, Purged>> {
        let Some(chunk) = self.candidates.next_chunk()? else {
            self.save_cursor(cx)?;
            let Self { work, marked, spared, .. } = self;
            return Ok(Advance::Done(Purged { work, marked, spared }));
        };
        let mut rest = chunk.as_slice();
        while !rest.is_empty() {
            let (batch, later) = rest.split_at(self.exclusive.keys.min(rest.len()));
            rest = later;
            let keys: Vec<BlockKey> = batch.iter().map(|candidate| candidate.key.clone()).collect();
            let began = cx.clock.elapsed();
            let spared = self.filter.purge(keys)?;
            self.exclusive.took(cx.clock.elapsed().saturating_sub(began));
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
