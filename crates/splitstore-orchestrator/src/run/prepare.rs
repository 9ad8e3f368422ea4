//! Prepare: protection on first, then roots are read.

use std::path::Path;
use std::sync::Arc;

use splitstore_domain::{MarkReport, MarkedBy, PhaseReport, Window};
use splitstore_ports::{SetHint, VisitSet, VisitSetFactory};

use super::{Work, count};
use crate::components::MarkSets;
use crate::error::Result;
use crate::protection::reference_to;
use crate::sets::WalkSets;
use crate::store::Inner;

/// The mark set is made a quarter larger than the last run's.
const HEADROOM: (u64, u64) = (5, 4);

/// Evidence: references are tracked, the registered roots are among them.
pub(crate) struct Prepared {
    pub(crate) work: Work,
    pub(crate) sets: WalkSets,
    /// How it marks, as far as that is decided.
    pub(crate) marking: MarkReport,
}

pub(crate) fn run(cx: &Inner, window: Window, meter: &mut PhaseReport) -> Result<Prepared> {
    let era = crate::links::next_era(cx)?;
    cx.protection.begin(|| cx.links.turn(era));
    let index = cx.ledger.index()? + 1;
    let work = Work::create(cx, window, index)?;
    let protectors = cx.protectors.lock().clone();
    for protector in protectors {
        // No lock is held here: a protector may read and write the store.
        protector.protect(&mut |cid| {
            count(meter, 1, 0);
            if reference_to(cid).is_some() {
                cx.protection.reference(cid);
            }
        })?;
    }
    let sets = new_sets(cx, &work.folder, "live")?;
    Ok(Prepared { work, sets, marking: MarkReport::default() })
}

/// Empty sets for one walk, in a folder of their own below `parent`.
pub(crate) fn new_sets(cx: &Inner, parent: &Path, name: &str) -> Result<WalkSets> {
    let expected = cx.ledger.marked()?.saturating_mul(HEADROOM.0) / HEADROOM.1;
    let visits = visits_for(cx, parent, name, expected)?;
    let MarkSets::Split { marks, .. } = &cx.marks else {
        return Ok(WalkSets::new(visits, None));
    };
    let folder = parent.join(format!("{name}-marks"));
    cx.files.create_dir(&folder)?;
    let marks = marks.create(&SetHint { expected, universe: &*cx.tiers.hot, folder: &folder })?;
    Ok(WalkSets::new(visits, Some(marks)))
}

/// Gives up the sets that were made for those on disk, if the run walks for lack of memory and there are such.
pub(super) fn spill(cx: &Inner, prepared: &mut Prepared) -> Result<()> {
    if prepared.marking.by == MarkedBy::Walk && prepared.marking.lacked_memory() && cx.spill.is_some() {
        prepared.sets = spilled(cx, &prepared.work.folder, "live-disk")?;
        prepared.marking.marks_on_disk = true;
    }
    Ok(())
}

/// Empty sets for one walk, on disk; the configured ones where there are none of that kind.
pub(super) fn spilled(cx: &Inner, parent: &Path, name: &str) -> Result<WalkSets> {
    let Some(factory) = &cx.spill else { return new_sets(cx, parent, name) };
    let folder = parent.join(name);
    cx.files.create_dir(&folder)?;
    let hint = SetHint { expected: 0, universe: &*cx.tiers.hot, folder: &folder };
    Ok(WalkSets::new(VisitSetFactory::create(&**factory, &hint)?, None))
}

/// An empty exact set for what little comes after the others.
pub(crate) fn new_visits(cx: &Inner, parent: &Path, name: &str) -> Result<Arc<dyn VisitSet>> {
    visits_for(cx, parent, name, 0)
}

fn visits_for(cx: &Inner, parent: &Path, name: &str, expected: u64) -> Result<Arc<dyn VisitSet>> {
    let folder = parent.join(name);
    cx.files.create_dir(&folder)?;
    let (MarkSets::Exact(factory) | MarkSets::Split { visits: factory, .. }) = &cx.marks;
    let hint = SetHint { expected, universe: &*cx.tiers.hot, folder: &folder };
    Ok(VisitSetFactory::create(&**factory, &hint)?)
}
