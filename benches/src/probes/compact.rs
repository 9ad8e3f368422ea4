//! A whole compaction: ours, and the original's on the engines alone.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use splitstore_domain::{CompactionReport, Epoch, Phase, Policy, Window};

use super::cache::Cache;
use super::files;
use crate::compare::{Gauges, Site};
use crate::compose::{self, cold_path, hot_path};
use crate::engine::{RawCold, RawHot};
use crate::naive::Naive;
use crate::pair::timed;

/// As a store is set up by default. Space is back when the run ends: its commit is part of the purge here.
pub(crate) fn ours(site: &Site) -> Result<Gauges> {
    let copy = site.copy()?;
    Cache::Warm.prepare(&hot_path(copy.path()))?;
    let composed = compose::open(copy.path(), site.stored.settings())?;
    composed.start(&site.stored.head()?)?;
    let (whole, report) = timed(&site.clock, || Ok(composed.store.compact()?))?;
    composed.store.close()?;
    drop(composed);
    let took = |phase| took(&report, phase).map(|took| took.as_secs_f64());
    let mut gauges = vec![
        ("whole", whole.as_secs_f64()),
        ("mark", took(Phase::Mark)?),
        ("collect", took(Phase::Collect)?),
        ("transfer", took(Phase::Transfer)?),
        ("seal", took(Phase::Seal)?),
        ("purge", took(Phase::Purge)? + took(Phase::Commit)?),
        ("live", report.plan.keep.blocks as f64),
        ("moved", report.plan.transfer.blocks as f64),
    ];
    gauges.extend(left(copy.path())?);
    Ok(gauges)
}

/// With two walkers, as the original has.
pub(crate) fn naive(site: &Site) -> Result<Gauges> {
    let copy = site.copy()?;
    Cache::Warm.prepare(&hot_path(copy.path()))?;
    let (hot, head) = (Naive::open(&hot_path(copy.path()))?, site.stored.head()?);
    let cold = RawCold::open(&cold_path(copy.path()))?;
    let policy = Policy::new(site.stored.settings())?;
    let window = |height| Window::at(height, Epoch::GENESIS, &policy);
    let clock = &site.clock;
    let (mark, live) = timed(clock, || hot.mark(&head, 2, &window, &policy))?;
    let (collect, dead) = timed(clock, || hot.collect(&live))?;
    let (transfer, ()) = timed(clock, || hot.transfer(&dead, &cold))?;
    let (purge, ()) = timed(clock, || hot.purge(&dead))?;
    let mut gauges = vec![
        ("whole", (mark + collect + transfer + purge).as_secs_f64()),
        ("mark", mark.as_secs_f64()),
        ("collect", collect.as_secs_f64()),
        ("transfer", transfer.as_secs_f64()),
        ("purge", purge.as_secs_f64()),
        ("live", live.len() as f64),
        ("moved", dead.len() as f64),
    ];
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

fn took(report: &CompactionReport, phase: Phase) -> Result<Duration> {
    let line = report.phases.iter().find(|line| line.phase == phase);
    Ok(line.with_context(|| format!("the report has no {phase}"))?.duration)
}
