//! Commit: the base moves, the journal closes, the filter goes, space is given back.

use splitstore_domain::{ByteCount, Phase, PhaseReport};
use splitstore_ports::{ErrorKind, Event, Maintenance, ReclaimMode, Result as PortResult};

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
    cx.tenured.keep(cx);
    if let Some(hot) = cx.tiers.hot.maintenance() {
        reclaim(cx, hot, index, meter);
    }
    Ok(index)
}

/// Gives space back. The run is committed, so a failure here is reported and costs disk, nothing else.
fn reclaim(cx: &Inner, hot: &dyn Maintenance, index: u64, meter: &mut PhaseReport) {
    let tell =
        |why: String| cx.observer.on_event(&Event::Failed(Phase::Commit, format!("reclaim space: {why}")));
    let mode = match mode(cx, hot, index) {
        Ok(Mode::Asked(mode)) => mode,
        Ok(Mode::NoRoom { needs, free }) => {
            tell(format!("a full reclaim needs {needs}, {free} are free: an online one is made"));
            ReclaimMode::Online
        }
        Err(error) => return tell(error.to_string()),
    };
    match hot.reclaim(mode, &cx.interrupt) {
        Ok(freed) => count(meter, 0, freed.before.0.saturating_sub(freed.after.0)),
        Err(error) if error.kind() == ErrorKind::Unsupported => {}
        Err(error) => tell(error.to_string()),
    }
}

/// How to reclaim.
enum Mode {
    /// As the options ask.
    Asked(ReclaimMode),
    /// A full one is due, but would fill the disk.
    NoRoom { needs: ByteCount, free: ByteCount },
}

fn mode(cx: &Inner, hot: &dyn Maintenance, index: u64) -> PortResult<Mode> {
    let every = cx.options.full_reclaim_every;
    if every == 0 || !index.is_multiple_of(every) {
        return Ok(Mode::Asked(ReclaimMode::Online));
    }
    let needs = hot.full_reclaim_needs()?;
    Ok(match cx.free_for_hot()? {
        Some(free) if free < needs => Mode::NoRoom { needs, free },
        // Where nobody can tell, the engine finds out.
        _ => Mode::Asked(ReclaimMode::Full),
    })
}
