//! Commit: the base moves, the journal closes, the filter goes, space is given back.

use splitstore_domain::{Phase, PhaseReport};
use splitstore_ports::{ErrorKind, Event, Maintenance, ReclaimMode};

use super::purge::Purged;
use super::{Work, count};
use crate::error::Result;
use crate::journal::Fact;
use crate::store::Inner;

/// Ends a purged run; returns its index.
pub(crate) fn run(cx: &Inner, purged: Purged, meter: &mut PhaseReport) -> Result<u64> {
    let Purged { work, marked, .. } = purged;
    let Work { folder, mut journal, window, index } = work;
    // Wider windows than before cut lower; what the run before dropped stays dropped.
    let base = if index > 1 { window.boundary.max(window.base) } else { window.boundary };
    cx.ledger.commit(base, index, marked)?;
    journal.note(Fact::Committed)?;
    cx.protection.end();
    cx.files.remove_dir(&folder)?;
    // What a crash before this leaves the next seal removes.
    cx.tiers.hot.clear_notes()?;
    if let Some(hot) = cx.tiers.hot.maintenance() {
        reclaim(cx, hot, index, meter);
    }
    Ok(index)
}

/// Gives space back. The run is committed, so a failure here is reported and costs disk, nothing else.
fn reclaim(cx: &Inner, hot: &dyn Maintenance, index: u64, meter: &mut PhaseReport) {
    let every = cx.options.full_reclaim_every;
    let full = every > 0 && index.is_multiple_of(every);
    let mode = if full { ReclaimMode::Full } else { ReclaimMode::Online };
    match hot.reclaim(mode, &cx.interrupt) {
        Ok(freed) => count(meter, 0, freed.before.0.saturating_sub(freed.after.0)),
        Err(error) if error.kind() == ErrorKind::Unsupported => {}
        Err(error) => cx.observer.on_event(&Event::Failed(Phase::Commit, format!("reclaim space: {error}"))),
    }
}
