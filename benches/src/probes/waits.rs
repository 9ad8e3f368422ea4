//! How long whoever pauses or closes a store waits in a paced purge that rewrites hot: a step is one table, in one call.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use splitstore_domain::{Pacing, Phase};
use splitstore_orchestrator::{MarkStrategy, Run, SplitStore, Step};
use splitstore_ports::{Clock, NoObserver, RangeRewrite};
use splitstore_rocksdb::RocksOptions;

use crate::compare::{Gauges, Site};
use crate::compose;

/// Steps half the tables, without a rest; then closes in the middle of a step.
pub(crate) fn waits(site: &Site) -> Result<Gauges> {
    let copy = site.copy_apart()?;
    let composed = compose::open_with(
        copy.path(),
        site.stored.settings(),
        (MarkStrategy::Scan, Pacing::default()),
        Arc::new(NoObserver),
        RocksOptions::default(),
    )?;
    composed.start(&site.stored.head()?)?;
    let tables = composed.hot.small_ranges()?.len();
    let mut run = composed.store.begin()?;
    let mut steps = Vec::new();
    while steps.len() < tables.div_ceil(2) {
        let (phase, began) = (run.phase(), site.clock.elapsed());
        let step = run.step()?;
        ensure!(!matches!(step, Step::Finished(_)), "{} of {tables} tables were rewritten", steps.len());
        if phase == Phase::Purge {
            steps.push(site.clock.elapsed().saturating_sub(began));
        }
    }
    steps.sort_unstable();
    let median = steps[steps.len() / 2];
    let longest = steps.last().copied().context("a step was taken")?;
    let close = close_beside(&composed.store, run, median / 4, &site.clock)?;
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    Ok(vec![("step", millis(median)), ("longest", millis(longest)), ("close", millis(close))])
}

/// How long a close takes that begins so long after a step has.
fn close_beside(
    store: &SplitStore,
    mut run: Run<'_>,
    after: Duration,
    clock: &dyn Clock,
) -> Result<Duration> {
    thread::scope(|scope| {
        let closing = scope.spawn(|| {
            thread::park_timeout(after);
            let began = clock.elapsed();
            store.close().map(|()| clock.elapsed().saturating_sub(began))
        });
        while !run.is_over() && run.step().is_ok() {}
        drop(run);
        Ok(closing.join().map_err(|_| anyhow!("closing panicked"))??)
    })
}
