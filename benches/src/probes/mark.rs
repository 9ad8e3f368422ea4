//! Marking: ours as the `mark` phase of a dry run, and the walk of the original.

use std::sync::Arc;

use anyhow::{Result, ensure};
use splitstore_domain::{Epoch, Phase, Policy, Window};
use splitstore_orchestrator::MarkStrategy;

use super::cache::Cache;
use super::meter::Meter;
use super::phases::Phases;
use crate::compare::{Gauges, Site};
use crate::compose::{self, hot_path};
use crate::naive::Naive;
use crate::process;

/// Marking by link index reads headers, and less than one in so many bytes.
const READ_AT_MOST: u64 = 2;

/// A dry run that marks in this way. Memory is what the process has at its peak beyond what it had with the store open:
/// allocators and the engine's buffers included.
pub(crate) fn ours(site: &Site, strategy: MarkStrategy, cache: Cache) -> Result<Gauges> {
    let (copy, phases) = (site.copy()?, Arc::new(Phases::default()));
    let composed = compose::open_as(copy.path(), site.stored.settings(), strategy, phases.clone())?;
    composed.start(&site.stored.head()?)?;
    cache.prepare(copy.path())?;
    process::forget_peak()?;
    let before = process::now()?;
    let plan = composed.store.plan()?;
    let mark = phases.last(Phase::Mark)?;
    // A dry run does not say how it marked: one that fell back has read the blocks.
    let data = site.stored.note.bytes;
    let read_little = mark.bytes < data / READ_AT_MOST;
    ensure!(
        read_little || strategy != MarkStrategy::Links,
        "{} of {data} bytes were read: a fallback",
        mark.bytes
    );
    let (seconds, live) = (mark.took.as_secs_f64(), plan.keep.blocks as f64);
    Ok(vec![
        ("seconds", seconds),
        ("seconds_cpu", mark.computed.as_secs_f64()),
        ("live", live),
        ("rate", live / seconds),
        ("peak", mark.peak.saturating_sub(before) as f64 / site.stored.note.blocks as f64),
        ("from_disk", mark.from_disk as f64),
    ])
}

/// The original's walk with so many walkers.
pub(crate) fn naive(site: &Site, walkers: usize, cache: Cache) -> Result<Gauges> {
    let copy = site.copy()?;
    let (naive, head) = (Naive::open(&hot_path(copy.path()))?, site.stored.head()?);
    let from_disk = cache.prepare(copy.path())?;
    let policy = Policy::new(site.stored.settings())?;
    let window = |height| Window::at(height, Epoch::GENESIS, &policy);
    let meter = Meter::start(&site.clock)?;
    let live = naive.mark(&head, walkers, &window, &policy)?;
    let spent = meter.read()?;
    let from_disk = from_disk.bytes()?;
    Ok(vec![
        ("seconds", spent.time.as_secs_f64()),
        ("seconds_cpu", spent.cpu.as_secs_f64()),
        ("live", live.len() as f64),
        ("from_disk", from_disk as f64),
    ])
}
