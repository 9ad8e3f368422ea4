//! Put: new blocks in batches of 1024, durable in the end, into an empty store.

use std::time::Duration;

use anyhow::Result;
use splitstore_ports::BlockWrite;

use crate::compose;
use crate::engine::RawHot;
use crate::ground::BATCH;
use crate::order::part;
use crate::pair::{Pair, in_turns, timed};
use crate::workload::{Record, as_blocks, as_records};
use crate::{Ground, Scenario, Work};

pub(crate) const WORKS: &[Work] = &[Work { name: "put", against: "RocksDB `WriteBatch`" }];

struct Put<'g> {
    ground: &'g Ground,
    records: Vec<Record>,
}

pub(crate) fn make(ground: &Ground) -> Result<Box<dyn Scenario + '_>> {
    let blocks = part(&ground.chain()?.blocks, ground.size.puts(), 0);
    Ok(Box::new(Put { ground, records: as_records(blocks) }))
}

impl Scenario for Put<'_> {
    fn round(&mut self, turn: usize) -> Result<Vec<Pair>> {
        let (ours, raw) = in_turns(turn, || self.ours(), || self.raw())?;
        Ok(vec![Pair { items: self.records.len() as u64, ours, raw }])
    }
}

impl Put<'_> {
    fn ours(&self) -> Result<Duration> {
        let folder = self.ground.fresh()?;
        let store = compose::open(folder.path(), self.ground.size.settings())?.store;
        let blocks = part(&self.ground.chain()?.blocks, self.ground.size.puts(), 0);
        let (took, ()) = timed(&self.ground.clock, || {
            for batch in blocks.chunks(BATCH) {
                store.put_many(&as_blocks(batch))?;
            }
            Ok(store.sync()?)
        })?;
        Ok(took)
    }

    fn raw(&self) -> Result<Duration> {
        let folder = self.ground.fresh()?;
        let engine = RawHot::open(folder.path())?;
        let (took, ()) = timed(&self.ground.clock, || {
            self.records.chunks(BATCH).try_for_each(|batch| engine.put(batch))?;
            engine.sync()
        })?;
        Ok(took)
    }
}
