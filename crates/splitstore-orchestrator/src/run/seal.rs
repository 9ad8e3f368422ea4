//! Seal: the marks become the read filter and durable; the last step that may still be given up.
//!
//! ```text
//!   clear hot's notes, sync hot           no note of an earlier run can come back behind the seal
//!   drain references, walk them           readers and writers go on, new references may come
//!   stop writers for a moment: take the rest, install the filter; readers of unmarked blocks wait for the rest
//!   write marks, sync, sync the folder, note Sealed        from here on recovery resumes
//! ```
//! From the moment the filter is on, new marks are noted in hot's log with the block that needs them, so the marks
//! file need not hold them.

use std::sync::Arc;
use std::time::Duration;

use splitstore_domain::PhaseReport;
use splitstore_ports::Event;

use super::transfer::Settled;
use super::{Work, count};
use crate::candidates::CandidateReader;
use crate::error::Result;
use crate::filter::Filter;
use crate::journal::Fact;
use crate::marks_file;
use crate::store::Inner;

/// Rounds in which references are walked while more come in.
const DRAINS: usize = 8;

/// A view open for longer is reported by where it was taken. Nothing waits for it: what it looks at is a
/// reference of the run.
const VIEW_AGE_MAX: Duration = Duration::from_secs(30);

/// Evidence: recovery can finish the purge without us.
pub(crate) struct Sealed {
    pub(crate) work: Work,
    pub(crate) filter: Arc<Filter>,
    pub(crate) marked: u64,
}

pub(crate) fn run(cx: &Inner, settled: Settled, meter: &mut PhaseReport) -> Result<Sealed> {
    let Settled { mut work, sets, chunks } = settled;
    let dropped = CandidateReader::open(&*cx.files, &work.folder)?.check()?;
    cx.tiers.hot.clear_notes()?;
    cx.tiers.hot.sync()?;
    let filter = Filter::new(sets.clone(), cx.tiers.clone(), work.index, cx.options.policy.cold());
    // A busy store never has no fresh references: a few rounds leave only what came in during the last one.
    for _ in 0..DRAINS {
        let references = cx.protection.take_references();
        if references.is_empty() {
            break;
        }
        count(meter, references.len() as u64, 0);
        filter.mark(&references)?;
    }
    for (at, age) in cx.protection.views_older_than(VIEW_AGE_MAX, cx.clock.elapsed()) {
        cx.observer.on_event(&Event::LongView { at, age });
    }
    let last = filter.install(&cx.protection)?;
    count(meter, last, 0);
    let marked = sets.len();
    marks_file::write(&cx.files, &work.folder, filter.sets())?;
    work.journal.note(Fact::Sealed { chunks, marked, dropped: Some(dropped) })?;
    Ok(Sealed { work, filter, marked })
}
