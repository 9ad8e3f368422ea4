//! A whole compaction: ours, and the original's on the engines alone.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, ensure};
use splitstore_domain::{Epoch, MarkedBy, Phase, Policy, Window};
use splitstore_orchestrator::MarkStrategy;

use super::cache::Cache;
use super::files;
use super::meter::{Meter, Spent};
use super::phases::Phases;
use crate::compare::{Gauges, Site};
use crate::compose::{self, cold_path, hot_path};
use crate::engine::{RawCold, RawHot};
use crate::naive::Naive;

/// Marked in this way, all else as a store is set up by default. Space is back when the run ends: its commit is part of the purge here.
pub(crate) fn ours(site: &Site, strategy: MarkStrategy) -> Result<Gauges> {
    let (copy, phases) = (site.copy_apart()?, Arc::new(Phases::default()));
    Cache::Warm.prepare(copy.path())?;
    let composed = compose::open_as(copy.path(), site.stored.settings(), strategy, phases.clone())?;
    composed.start(&site.stored.head()?)?;
    let meter = Meter::start(&site.clock)?;
    let report = composed.store.compact()?;
    let whole = meter.read()?;
    let marking = &report.marking;
    ensure!(
        marking.by == asked(strategy),
        "marked by {:?}, not {strategy:?}: {:?}",
        marking.by,
        marking.fallbacks
    );
    composed.store.close()?;
    drop(composed);
    let spent = |phase| phases.last(phase).map(|ended| Spent { time: ended.took, cpu: ended.computed });
    let [mark, collect, transfer, seal] =
        [Phase::Mark, Phase::Collect, Phase::Transfer, Phase::Seal].map(spent);
    let (collect, transfer) = (collect?, transfer?);
    let purge = spent(Phase::Purge)?.and(spent(Phase::Commit)?);
    let mut gauges = Gauges::new();
    whole.tell(&mut gauges, ["whole", "whole_cpu"]);
    mark?.tell(&mut gauges, ["mark", "mark_cpu"]);
    collect.tell(&mut gauges, ["collect", "collect_cpu"]);
    transfer.tell(&mut gauges, ["transfer", "transfer_cpu"]);
    collect.and(transfer).tell(&mut gauges, ["move", "move_cpu"]);
    seal?.tell(&mut gauges, ["seal", "seal_cpu"]);
    purge.tell(&mut gauges, ["purge", "purge_cpu"]);
    gauges.push(("live", report.plan.keep.blocks as f64));
    gauges.push(("moved", report.plan.transfer.blocks as f64));
    gauges.extend(left(copy.path())?);
    Ok(gauges)
}

/// How a run marks that is asked to mark so.
const fn asked(strategy: MarkStrategy) -> MarkedBy {
    match strategy {
        MarkStrategy::Walk => MarkedBy::Walk,
        MarkStrategy::Scan | MarkStrategy::Auto => MarkedBy::Scan,
        MarkStrategy::Links => MarkedBy::Links,
    }
}

/// With two walkers, as the original has.
pub(crate) fn naive(site: &Site) -> Result<Gauges> {
    let copy = site.copy_apart()?;
    Cache::Warm.prepare(copy.path())?;
    let (hot, head) = (Naive::open(&hot_path(copy.path()))?, site.stored.head()?);
    let cold = RawCold::open(&cold_path(copy.path()))?;
    let policy = Policy::new(site.stored.settings())?;
    let window = |height| Window::at(height, Epoch::GENESIS, &policy);
    let (clock, mut gauges) = (&site.clock, Gauges::new());
    let whole = Meter::start(clock)?;
    let meter = Meter::start(clock)?;
    let live = hot.mark(&head, 2, &window, &policy)?;
    meter.read()?.tell(&mut gauges, ["mark", "mark_cpu"]);
    let meter = Meter::start(clock)?;
    let dead = hot.collect(&live)?;
    let collect = meter.read()?;
    collect.tell(&mut gauges, ["collect", "collect_cpu"]);
    let meter = Meter::start(clock)?;
    hot.transfer(&dead, &cold)?;
    let transfer = meter.read()?;
    transfer.tell(&mut gauges, ["transfer", "transfer_cpu"]);
    collect.and(transfer).tell(&mut gauges, ["move", "move_cpu"]);
    let meter = Meter::start(clock)?;
    hot.purge(&dead)?;
    meter.read()?.tell(&mut gauges, ["purge", "purge_cpu"]);
    whole.read()?.tell(&mut gauges, ["whole", "whole_cpu"]);
    gauges.push(("live", live.len() as f64));
    gauges.push(("moved", dead.len() as f64));
    drop((hot, cold));
    gauges.extend(left(copy.path())?);
    Ok(gauges)
}

/// What is left on the disk of a store that nobody has open.
fn left(folder: &Path) -> Result<Gauges> {
    let path = hot_path(folder);
    let tombstones = RawHot::open(&path)?.tombstones()?;
    let cold = std::fs::metadata(cold_path(folder))?.len();
    Ok(vec![("tombstones", tombstones as f64), ("hot", files::size(&path)? as f64), ("cold", cold as f64)])
}
