//! Purge: candidates that are still unmarked leave hot, by deletes or by a rewrite ([`super::rewrite`]), which is chosen
//! when it begins.
//!
//! ```text
//!   chunk: n x { check marks and delete an exclusive batch while nothing can be held back, 5 ms at most }
//!   every few chunks: sync hot, then the cursor    a power cut never leaves a cursor ahead of its deletes
//! ```
//! A run that has just sealed and one that goes on after a failure or a restart share this code; the latter passes
//! over the chunks before its cursor first.

use std::sync::Arc;
use std::time::Duration;

use splitstore_domain::purge::{self, PurgeFacts, PurgeWhy};
use splitstore_domain::{BlockKey, NoRoom, Pacing, PhaseReport, PurgeChoice, PurgeWay, Shortfall, Window};
use splitstore_ports::Event;

use super::rewrite::{Rewriting, Rewritten};
use super::seal::Sealed;
use super::{Advance, Work, count};
use crate::candidates::{Candidate, CandidateReader, Fate};
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
    /// How they went; `None` if there were none.
    pub(crate) choice: Option<PurgeChoice>,
    /// What a rewrite left to deletes.
    pub(crate) shortfall: Shortfall,
}

/// The phase under way.
pub(crate) struct Purging {
    work: Work,
    filter: Arc<Filter>,
    /// `None` behind the end of the list.
    candidates: Option<CandidateReader>,
    /// What is left of the present chunk.
    chunk: Vec<BlockKey>,
    next: u64,
    /// The first chunk of which something is kept that a restart may not know of.
    unsure: Option<u64>,
    /// Of a purge that goes on, until it has begun.
    resume: Option<Resume>,
    marked: u64,
    spared: u64,
    /// Behind the end of the list: what failed puts have kept, and is not whole.
    left: Vec<BlockKey>,
    exclusive: Exclusive,
    how: How,
    /// Dead blocks that the engine passed over.
    passed_over: u64,
}

/// How candidates leave hot.
enum How {
    /// It is chosen when the first one comes.
    Open,
    Deletes(PurgeWhy),
    Rewrite(PurgeWhy, Rewriting),
    /// By a rewrite, until the disk had no room for the next range; the rest by deletes.
    FellShort(PurgeWhy, NoRoom),
}

impl How {
    /// What was chosen.
    const fn choice(&self) -> Option<PurgeChoice> {
        match self {
            Self::Open => None,
            Self::Deletes(why) => Some(PurgeChoice { way: PurgeWay::Delete, why: *why }),
            Self::Rewrite(why, _) | Self::FellShort(why, _) => {
                Some(PurgeChoice { way: PurgeWay::Rewrite, why: *why })
            }
        }
    }

    const fn no_room(&self) -> Option<NoRoom> {
        if let Self::FellShort(_, no_room) = self { Some(*no_room) } else { None }
    }

    const fn rewriting(&mut self) -> Option<&mut Rewriting> {
        if let Self::Rewrite(_, rewriting) = self { Some(rewriting) } else { None }
    }
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
        let candidates = Some(CandidateReader::open(&*cx.files, &work.folder)?);
        let exclusive = Exclusive::up_to(cx.options.batches.exclusive.get());
        let (chunk, left, next, spared) = (Vec::new(), Vec::new(), 0, 0);
        let (unsure, resume, how) = (None, None, How::Open);
        Ok(Self {
            work,
            filter,
            candidates,
            chunk,
            next,
            unsure,
            resume,
            marked,
            spared,
            left,
            exclusive,
            how,
            passed_over: 0,
        })
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
            self.next_chunk()?;
        }
        self.next = until;
        Ok(more)
    }

    pub(crate) fn step(mut self, cx: &Inner, meter: &mut PhaseReport) -> Result<Advance<Self, Purged>> {
        if self.pass_over()? {
            return Ok(Advance::More(self));
        }
        if self.chunk.is_empty() {
            let Some(chunk) = self.next_chunk()? else { return self.end(cx, meter) };
            if let Some(resume) = self.resume.take() {
                // All chunks are as long as the first, but for the last.
                cx.planned.lock().1 = (resume.chunks - self.next).saturating_mul(chunk.len() as u64);
            }
            self.chunk = leaving(chunk);
        }
        if matches!(self.how, How::Open) {
            self.how = self.choose(cx)?;
        }
        if self.has_room_to_rewrite(cx)? {
            return self.rewrite_range(cx, meter);
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

    fn next_chunk(&mut self) -> Result<Option<Vec<Candidate>>> {
        let chunk = self.candidates.as_mut().map_or(Ok(None), CandidateReader::next_chunk)?;
        if chunk.is_none() {
            self.candidates = None;
        }
        Ok(chunk)
    }

    /// The list is at its end: the last range, then the evidence.
    fn end(mut self, cx: &Inner, meter: &mut PhaseReport) -> Result<Advance<Self, Purged>> {
        if self.how.rewriting().is_some_and(|rewriting| !rewriting.is_empty()) {
            return self.rewrite(cx, meter);
        }
        self.left.extend(self.filter.let_go()?);
        if !self.left.is_empty() {
            return self.purge_left(cx, meter);
        }
        self.save_cursor(cx)?;
        let Self { work, marked, spared, how, passed_over, .. } = self;
        let (choice, shortfall) = (how.choice(), Shortfall { passed_over, no_room: how.no_room() });
        Ok(Advance::Done(Purged { work, marked, spared, choice, shortfall }))
    }

    /// Deletes what failed puts have kept although it is not whole.
    fn purge_left(mut self, cx: &Inner, meter: &mut PhaseReport) -> Result<Advance<Self, Purged>> {
        let left = std::mem::take(&mut self.left);
        let (deleted, postponed) = self.in_batches(cx, self.next, left, Filter::purge)?;
        count(meter, deleted, 0);
        self.spared = self.spared.saturating_sub(deleted);
        self.left = postponed;
        Ok(if self.left.is_empty() {
            Advance::More(self)
        } else {
            Advance::Wait(self, cx.clock.elapsed().saturating_add(WALKS_TIME))
        })
    }

    /// Deletes or a rewrite, for all of it: after a restart what is left is looked at anew.
    fn choose(&self, cx: &Inner) -> Result<How> {
        let hot = cx.tiers.hot.range_rewrite();
        let ranges = hot.map(|hot| match cx.options.pacing {
            Pacing::Fast => hot.ranges(),
            Pacing::Paced(_) => hot.small_ranges(),
        });
        let ranges = ranges.transpose()?;
        // Behind the last range there must be nothing: candidates there would wait for ever.
        let ranges = ranges.filter(|ranges| ranges.last().is_some_and(|last| last.keys.to.is_none()));
        let needs = ranges.as_ref().and_then(|ranges| ranges.iter().map(|range| range.needs).max());
        let free = cx.free_for_hot()?;
        let facts = PurgeFacts { dead: cx.planned.lock().1, live: self.marked, needs, free };
        let PurgeChoice { way, why } = purge::choose(cx.options.purge, &facts);
        self.filter.doomed().begin();
        let Some(ranges) = ranges.filter(|_| way == PurgeWay::Rewrite) else { return Ok(How::Deletes(why)) };
        if let (Pacing::Paced(_), Some(hot)) = (cx.options.pacing, hot) {
            hot.stand_back();
        }
        Ok(How::Rewrite(why, Rewriting::new(ranges)))
    }

    /// Whether the next range is to be rewritten. If the disk is full by now, what remains goes by deletes.
    fn has_room_to_rewrite(&mut self, cx: &Inner) -> Result<bool> {
        let (How::Rewrite(why, rewriting), Some(first)) = (&mut self.how, self.chunk.first()) else {
            return Ok(false);
        };
        let Some(no_room) = rewriting.lacks_room(cx, first)? else { return Ok(true) };
        self.how = How::FellShort(*why, no_room);
        falls_short(cx, Shortfall { passed_over: 0, no_room: Some(no_room) });
        Ok(false)
    }

    /// Dooms all candidates of the present range, and rewrites it: in one step, so that nothing is doomed for long.
    fn rewrite_range(mut self, cx: &Inner, meter: &mut PhaseReport) -> Result<Advance<Self, Purged>> {
        while let Some(rewriting) = self.how.rewriting() {
            let inside = rewriting.take_inside(&mut self.chunk);
            let (doomed, postponed) = self.in_batches(cx, self.next, inside, Filter::doom)?;
            if let Some(rewriting) = self.how.rewriting() {
                rewriting.add(self.next, doomed, postponed);
            }
            if !self.chunk.is_empty() {
                break;
            }
            self.next += 1;
            let Some(chunk) = self.next_chunk()? else { break };
            self.chunk = leaving(chunk);
        }
        self.rewrite(cx, meter)
    }

    /// Rewrites the present range, and deletes what was held back when it was doomed.
    fn rewrite(mut self, cx: &Inner, meter: &mut PhaseReport) -> Result<Advance<Self, Purged>> {
        let Some(rewriting) = self.how.rewriting() else { return Ok(Advance::More(self)) };
        let Rewritten { removed, bytes, passed_over } = rewriting.rewrite(cx, &self.filter)?;
        count(meter, removed, bytes);
        let (of, postponed) = rewriting.take_postponed();
        self.passed_over += passed_over;
        falls_short(cx, Shortfall { passed_over, no_room: None });
        let (deleted, postponed) = self.in_batches(cx, of, postponed, Filter::purge)?;
        count(meter, deleted, 0);
        if !postponed.is_empty() {
            if let Some(rewriting) = self.how.rewriting() {
                rewriting.add(of, 0, postponed);
            }
            return Ok(Advance::Wait(self, cx.clock.elapsed().saturating_add(WALKS_TIME)));
        }
        self.save_cursor(cx)?;
        Ok(Advance::More(self))
    }

    /// Purges the chunk but for what walks hold back at the moment.
    fn purge_chunk(&mut self, cx: &Inner, meter: &mut PhaseReport) -> Result<()> {
        let chunk = std::mem::take(&mut self.chunk);
        let (deleted, postponed) = self.in_batches(cx, self.next, chunk, Filter::purge)?;
        count(meter, deleted, 0);
        self.chunk = postponed;
        Ok(())
    }

    /// Rids hot of these, which are `of` this chunk or a later one, in exclusive steps; how many went, and which walks hold
    /// back at the moment.
    fn in_batches(
        &mut self,
        cx: &Inner,
        of: u64,
        mut rest: Vec<BlockKey>,
        rid: fn(&Filter, Vec<BlockKey>) -> Result<Purge>,
    ) -> Result<(u64, Vec<BlockKey>)> {
        let (mut gone, mut held_back) = (0, Vec::new());
        while !rest.is_empty() {
            let later = rest.split_off(self.exclusive.keys.min(rest.len()));
            let batch = std::mem::replace(&mut rest, later);
            let keys = batch.len() as u64;
            let began = cx.clock.elapsed();
            let Purge { spared, kept, postponed } = rid(&self.filter, batch)?;
            if kept > 0 {
                self.unsure = Some(self.unsure.map_or(of, |unsure| unsure.min(of)));
            }
            self.exclusive.took(cx.clock.elapsed().saturating_sub(began));
            self.spared += spared;
            gone += keys - spared - postponed.len() as u64;
            held_back.extend(postponed);
        }
        Ok((gone, held_back))
    }

    fn save_cursor(&mut self, cx: &Inner) -> Result<()> {
        cx.tiers.hot.sync()?;
        // A put that failed may have left no note: then a restart must purge what it has kept so far, with all the rest.
        self.work.journal.note(Fact::Cursor { chunk: self.unsure.unwrap_or(self.next) })
    }
}

/// The operator hears at once that something is wrong with the engine, or with the disk.
fn falls_short(cx: &Inner, by: Shortfall) {
    if !by.is_none() {
        cx.observer.on_event(&Event::RewriteFellShort(by));
    }
}

/// What of a chunk is to leave hot.
fn leaving(chunk: Vec<Candidate>) -> Vec<BlockKey> {
    let leaves = chunk.into_iter().filter(|candidate| candidate.fate != Fate::Copy);
    leaves.map(|candidate| candidate.key).collect()
}
