//! New blocks into a store that has a link index, with the index kept and without.

use std::sync::Arc;

use anyhow::{Context, Result};
use splitstore_fixtures::ChainSpec;
use splitstore_orchestrator::MarkStrategy;
use splitstore_ports::{BlockWrite, NoObserver};

use super::meter::Meter;
use crate::compare::{Gauges, Site};
use crate::compose;
use crate::ground::BATCH;
use crate::workload::{Chain, as_blocks};

/// Some 300,000 blocks that no store has: fewer take a fifth of a second, of which one tick more or less is seen.
const SPEC: (u64, u64, u64) = (450, 12_000, 2);

/// In batches, durable in the end.
pub(crate) fn put(site: &Site, strategy: MarkStrategy) -> Result<Gauges> {
    let (epochs, actors, seed) = SPEC;
    let spec = ChainSpec { epochs, actors, seed, messages_per_block: 80, ..ChainSpec::default() };
    let blocks = Chain::generate(&spec)?.blocks;
    let copy = site.copy()?;
    let store = compose::open_as(copy.path(), site.stored.settings(), strategy, Arc::new(NoObserver))?.store;
    // The first tenth makes memtables and caches what they are in a store at work.
    let (first, rest) = blocks.split_at_checked(blocks.len() / 10).context("there are blocks")?;
    first.chunks(BATCH).try_for_each(|batch| store.put_many(&as_blocks(batch)))?;
    let (meter, mut gauges) = (Meter::start(&site.clock)?, Gauges::new());
    rest.chunks(BATCH).try_for_each(|batch| store.put_many(&as_blocks(batch)))?;
    store.sync()?;
    meter.read()?.tell(&mut gauges, ["seconds", "seconds_cpu"]);
    gauges.push(("rate", rest.len() as f64 / gauges[0].1));
    store.close()?;
    Ok(gauges)
}
