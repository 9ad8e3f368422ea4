//! Seal: the marks become the read filter and durable; the last steps that may still be given up.
//!
//! ```text
//!   read the list of candidates           what is damaged on disk ends the run here
//!   clear hot's notes, sync hot           no note of an earlier run can come back behind the seal
//!   put the new link index in its place   or take the old one out of it: what it has may go from here on
//!   drain references, walk them           readers and writers go on, new references may come
//!   freeze the marks, write and sync them what comes later goes into a set of its own
//!   drain references, walk them
//!   stop writers for a moment: take the rest, install the filter; readers of unmarked blocks wait for the rest
//!   write what came later, sync, sync the folder, note Sealed        from here on recovery resumes
//! ```
//! Each line is a step or many. The last two are one, so nobody sees a filter that is on and may go again; they
//! write little.
//!
//! From the moment the filter is on, new marks are noted in hot's log with the block that needs them, so the marks
//! file need not hold them.

use std::sync::Arc;
use std::time::Duration;

use splitstore_domain::{Phase, PhaseReport};
use splitstore_ports::Event;

use super::late::Late;
use super::prepare::new_visits;
use super::transfer::Settled;
use super::{Advance, Work, count};
use crate::candidates::CandidateReader;
use crate::error::Result;
use crate::filter::{Filter, Leaving};
use crate::graph::Written;
use crate::journal::Fact;
use crate::marks_file::MarksWriter;
use crate::sets::WalkSets;
use crate::store::Inner;

/// A view open for longer is reported by where it was taken. Nothing waits for it: what it looks at is a
/// reference of the run.
const VIEW_AGE_MAX: Duration = Duration::from_secs(30);

/// Chunks of candidates read in one step.
const CHUNKS: usize = 64;

/// Evidence: recovery can finish the purge without us.
pub(crate) struct Sealed {
    pub(crate) work: Work,
    pub(crate) filter: Arc<Filter>,
    pub(crate) marked: u64,
}

/// The phase under way.
pub(crate) struct Sealing {
    subject: Subject,
    next: Next,
}

/// What is sealed.
struct Subject {
    work: Work,
    sets: WalkSets,
    chunks: u64,
    dropped: u64,
}

/// What the next step does.
enum Next {
    Check(CandidateReader),
    ClearNotes,
    Walk(Late),
    WriteSet,
    WriteBitmap(MarksWriter, Written),
    Freeze(MarksWriter),
    WalkAgain(Late, MarksWriter),
}

impl Sealing {
    pub(crate) fn new(cx: &Inner, settled: Settled) -> Result<Self> {
        let Settled { work, sets, chunks } = settled;
        let next = Next::Check(CandidateReader::open(&*cx.files, &work.folder)?);
        Ok(Self { subject: Subject { work, sets, chunks, dropped: 0 }, next })
    }

    pub(crate) fn step(mut self, cx: &Inner, meter: &mut PhaseReport) -> Result<Advance<Self, Sealed>> {
        self.next = match self.next {
            Next::Check(mut candidates) => match candidates.check_some(CHUNKS)? {
                Some(dropped) => {
                    self.subject.dropped += dropped;
                    Next::Check(candidates)
                }
                None => Next::ClearNotes,
            },
            Next::ClearNotes => {
                cx.tiers.hot.clear_notes()?;
                cx.tiers.hot.sync()?;
                crate::links::install(cx, &self.subject.work.folder)?;
                Next::Walk(Late::new(cx, &self.subject.sets))
            }
            Next::Walk(late) => late.step(cx, meter)?.map_or(Next::WriteSet, Next::Walk),
            Next::WriteSet => {
                let mut marks = MarksWriter::create(&cx.files, &self.subject.work.folder)?;
                marks.add(&self.subject.sets, &|| cx.conductor.check(Phase::Seal))?;
                marks.sync()?;
                Next::WriteBitmap(marks, Written::default())
            }
            Next::WriteBitmap(mut marks, written) => match self.subject.sets.bitmap() {
                Some(bitmap) => match marks.add_bitmap(bitmap, written)? {
                    Some(written) => Next::WriteBitmap(marks, written),
                    None => Next::Freeze(marks),
                },
                None => Next::Freeze(marks),
            },
            Next::Freeze(marks) => {
                let later = new_visits(cx, &self.subject.work.folder, "later")?;
                self.subject.sets = self.subject.sets.frozen(later);
                Next::WalkAgain(Late::new(cx, &self.subject.sets), marks)
            }
            Next::WalkAgain(late, marks) => {
                let Some(late) = late.step(cx, meter)? else {
                    return self.subject.seal(cx, marks, meter).map(Advance::Done);
                };
                Next::WalkAgain(late, marks)
            }
        };
        Ok(Advance::More(self))
    }
}

impl Subject {
    /// The last step: filter on, the rest of the marks durable, the journal says so.
    fn seal(self, cx: &Inner, mut marks: MarksWriter, meter: &mut PhaseReport) -> Result<Sealed> {
        let Self { mut work, sets, chunks, dropped } = self;
        for (at, age) in cx.protection.views_older_than(VIEW_AGE_MAX, cx.clock.elapsed()) {
            cx.observer.on_event(&Event::LongView { at, age });
        }
        let filter =
            Filter::new(sets, cx.tiers.clone(), work.index, Leaving::of(cx.options.policy.cold(), dropped));
        let last = filter.install(&cx.protection)?;
        count(meter, last, 0);
        let marked = filter.sets().len();
        marks.add(filter.sets(), &|| Ok(()))?;
        marks.finish(&*cx.files, &work.folder)?;
        work.journal.note(Fact::Sealed { chunks, marked, dropped: Some(dropped) })?;
        Ok(Sealed { work, filter, marked })
    }
}
