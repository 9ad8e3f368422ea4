//! Marking again after a compaction: what an old chain costs that has been finalized and moved long ago.

use std::sync::Arc;

use anyhow::Result;
use splitstore_domain::Phase;
use splitstore_orchestrator::MarkStrategy;

use super::cache::Cache;
use super::phases::Phases;
use crate::compare::{Gauges, Site};
use crate::compose::{self, hot_path};

/// One compaction, which may remember what it found; then the walk of a second one, which is a dry run.
pub(crate) fn again(site: &Site) -> Result<Gauges> {
    let (copy, phases) = (site.copy()?, Arc::new(Phases::default()));
    let composed = compose::open_as(copy.path(), site.stored.settings(), MarkStrategy::Walk, phases.clone())?;
    composed.start(&site.stored.head()?)?;
    composed.store.compact()?;
    let first = phases.last(Phase::Mark)?.took.as_secs_f64();
    Cache::Warm.prepare(&hot_path(copy.path()))?;
    let plan = composed.store.plan()?;
    let again = phases.last(Phase::Mark)?.took.as_secs_f64();
    Ok(vec![("seconds", again), ("first", first), ("kept", plan.keep.blocks as f64)])
}
