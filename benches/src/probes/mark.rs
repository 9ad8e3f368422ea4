//! Marking: ours as the `mark` phase of a dry run, and the walk of the original.

use std::sync::Arc;

use anyhow::{Result, ensure};
use splitstore_domain::{ByteCount, Epoch, Pacing, Phase, Policy, Window};
use splitstore_orchestrator::MarkStrategy;
use splitstore_rocksdb::RocksOptions;

use super::cache::Cache;
use super::meter::Meter;
use super::phases::{Ended, Phases};
use crate::compare::{Gauges, Site};
use crate::compose::{self, hot_path};
use crate::naive::Naive;
use crate::process;

/// Marking by link index reads headers, and less than one in so many bytes.
const READ_AT_MOST: u64 = 2;
/// A cache for what is in use, and no more.
const SMALL_CACHE: ByteCount = ByteCount(8 << 20);

/// A dry run that marks in this way.
pub(crate) fn ours(site: &Site, strategy: MarkStrategy, cache: Cache) -> Result<Gauges> {
    let (mark, live, _) = dry_run(site, strategy, cache, RocksOptions::default())?;
    let seconds = mark.took.as_secs_f64();
    Ok(vec![
        ("seconds", seconds),
        ("seconds_cpu", mark.computed.as_secs_f64()),
        ("live", live),
        ("rate", live / seconds),
        ("from_disk", mark.from_disk as f64),
    ])
}

/// Memory of such a run: what the process has at its peak beyond what it had with the store open, by blocks of hot.
/// Allocators and the engine's buffers count; its cache, which has a bound of its own, is kept small.
pub(crate) fn memory(site: &Site, strategy: MarkStrategy) -> Result<Gauges> {
    let hot = RocksOptions { block_cache: SMALL_CACHE, ..RocksOptions::default() };
    let (mark, live, before) = dry_run(site, strategy, Cache::Warm, hot)?;
    let peak = mark.peak.saturating_sub(before) as f64;
    Ok(vec![("peak", peak / site.stored.note.blocks as f64), ("bytes", peak), ("live", live)])
}

/// How marking went, how many blocks are live, and memory before it.
fn dry_run(
    site: &Site,
    strategy: MarkStrategy,
    cache: Cache,
    hot: RocksOptions,
) -> Result<(Ended, f64, u64)> {
    let (copy, phases) = (site.copy()?, Arc::new(Phases::default()));
    let composed = compose::open_with(
        copy.path(),
        site.stored.settings(),
        (strategy, Pacing::Fast),
        phases.clone(),
        hot,
    )?;
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
    Ok((mark, plan.keep.blocks as f64, before))
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
