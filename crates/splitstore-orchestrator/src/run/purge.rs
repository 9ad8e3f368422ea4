//! Purge: candidates that are still unmarked are deleted from hot, one bounded batch at a time.
//!
//! ```text
//!   chunk: n x { check marks and delete an exclusive batch while nothing can be held back, 5 ms at most }
//!   every few chunks: sync hot, then the cursor    a power cut never leaves a cursor ahead of its deletes
//! ```
//! A run that has just sealed and one that goes on after a failure or a restart share this code; the latter passes
//! over the chunks before its cursor first.

use std::sync::Arc;
use std::time::Duration;

use splitstore_domain::{BlockKey, PhaseReport, Window};

use super::seal::Sealed;
use super::{Advance, Work, count};
use crate::candidates::CandidateReader;
use crate::error::Result;
use crate::filter::{Filter, Purge};
use crate::journal::{Fact, Resume};
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
    /// What is left of the present chunk.
    chunk: Vec<BlockKey>,
    next: u64,
    /// The first chunk of which something is kept that a restart may not know of.
    unsure: Option<u64>,
    /// Of a purge that goes on, until it has begun.
    resume: Option<Resume>,
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

/// How long walks are waited for that hold keys back.
const WALKS_TIME: Duration = Duration::from_millis(1);

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

/// Chunks passed over in one step.
const PASSED_AT_ONCE: u64 = 64;

impl Purging {
    pub(crate) fn new(cx: &Inner, sealed: Sealed) -> Result<Self> {
        let Sealed { work, filter, marked } = sealed;
        Self::begin(cx, work, filter, marked)
    }

    /// Goes on where an earlier attempt ended, with a filter that may come from before the last restart.
    pub(crate) fn from_cursor(cx: &Inner, work: Work, filter: Arc<Filter>, resume: Resume) -> Result<Self> {
        let purging = Self::begin(cx, work, filter, resume.marked)?;
        Ok(Self { resume: Some(resume), ..purging })
    }

    fn begin(cx: &Inner, work: Work, filter: Arc<Filter>, marked: u64) -> Result<Self> {
        let candidates = CandidateReader::open(&*cx.files, &work.folder)?;
        let exclusive = Exclusive::up_to(cx.options.batches.exclusive.get());
        let (chunk, next, unsure, resume, spared) = (Vec::new(), 0, None, None, 0);
        Ok(Self { work, filter, candidates, chunk, next, unsure, resume, marked, spared, exclusive })
    }

    /// The cut of the run that it is of.
    pub(crate) const fn window(&self) -> Window {
        self.work.window
    }

    /// Passes over some of what an earlier attempt has purged; whether there is more of it.
    fn pass_over(&mut self) -> Result<bool> {
        let Some(resume) = &self.resume else { return Ok(false) };
        let until = resume.cursor.min(self.next + PASSED_AT_ONCE);
        let more = self.next < resume.cursor;
        for _ in self.next..until {
            self.candidates.next_chunk()?;
        }
        self.next = until;
        Ok(more)
    }

    pub(crate) fn step(mut self, cx: &Inner, meter: &mut PhaseReport) -> Result<Advance<Self, Purged>> {
        if self.pass_over()? {
            return Ok(Advance::More(self));
        }
        if self.chunk.is_empty() {
            let Some(chunk) = self.candidates.next_chunk()? else {
                self.save_cursor(cx)?;
                let Self { work, marked, spared, .. } = self;
                return Ok(Advance::Done(Purged { work, marked, spared }));
            };
            if let Some(resume) = self.resume.take() {
                // All chunks are as long as the first, but for the last.
                cx.planned.lock().1 = (resume.chunks - self.next).saturating_mul(chunk.len() as u64);
            }
            self.chunk = chunk.into_iter().map(|candidate| candidate.key).collect();
        }
        self.purge_chunk(cx, meter)?;
        if !self.chunk.is_empty() {
            // The cursor stays behind them: a crash must find them again.
            return Ok(Advance::Wait(self, cx.clock.elapsed().saturating_add(WALKS_TIME)));
        }
        self.next += 1;
        if self.next.is_multiple_of(cx.options.batches.cursor.get() as u64) {
            self.save_cursor(cx)?;
        }
        Ok(Advance::More(self))
    }

    /// Purges the chunk but for what walks hold back at the moment.
    fn purge_chunk(&mut self, cx: &Inner, meter: &mut PhaseReport) -> Result<()> {
        let mut rest = std::mem::take(&mut self.chunk);
        while !rest.is_empty() {
            let later = rest.split_off(self.exclusive.keys.min(rest.len()));
            let batch = std::mem::replace(&mut rest, later);
            let keys = batch.len() as u64;
            let began = cx.clock.elapsed();
            let Purge { spared, kept, postponed } = self.filter.purge(batch)?;
            if kept > 0 {
                self.unsure.get_or_insert(self.next);
            }
            self.exclusive.took(cx.clock.elapsed().saturating_sub(began));
            self.spared += spared;
            count(meter, keys - spared - postponed.len() as u64, 0);
            self.chunk.extend(postponed);
        }
        Ok(())
    }

    fn save_cursor(&mut self, cx: &Inner) -> Result<()> {
        cx.tiers.hot.sync()?;
        // A put that failed may have left no note: then a restart must purge what it has kept so far, with all the rest.
        self.work.journal.note(Fact::Cursor { chunk: self.unsure.unwrap_or(self.next) })
    }
}
