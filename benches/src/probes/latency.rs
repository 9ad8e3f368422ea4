//! How long reads take beside a compaction, against the same threads without one.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use splitstore_domain::Pacing;
use splitstore_orchestrator::MarkStrategy;
use splitstore_rocksdb::RocksOptions;
use splitstore_stress::figures::{Now, beside};
use splitstore_stress::{Histogram, Op, Segment};

use crate::compare::{Gauges, Site};
use crate::compose;

/// How long each of the segments without a compaction lasts.
const EACH: Duration = Duration::from_secs(10);
const SEED: u64 = 1;

/// Two readers and a writer at full speed beside one compaction.
pub(crate) fn latency(site: &Site) -> Result<Gauges> {
    let (copy, now) = (site.copy_apart()?, Arc::new(Now::default()));
    let composed = compose::open_with(
        copy.path(),
        site.stored.settings(),
        (MarkStrategy::default(), Pacing::default()),
        now.clone(),
        RocksOptions::default(),
    )?;
    composed.start(&site.stored.head()?)?;
    let table = beside(&composed.store, &site.stored.recent()?, &now, (EACH, SEED))?;
    composed.store.close()?;
    eprintln!("{table}");
    let compaction = table.compaction(Op::Get);
    let p99 = |times: &Histogram| times.per_mille(990).as_secs_f64() * 1e6;
    Ok(vec![
        ("p99", p99(&compaction.seen)),
        ("own_p99", p99(&compaction.own)),
        ("idle_p99", p99(&table.of(Op::Get, Segment::Idle).seen)),
        ("busy_p99", p99(&table.of(Op::Get, Segment::Busy).seen)),
        ("worst", compaction.seen.max().as_secs_f64() * 1e3),
        ("own_worst", compaction.own.max().as_secs_f64() * 1e3),
        ("apart_worst", table.apart(Op::Get).as_secs_f64() * 1e3),
    ])
}
