//! The phases of a whole compaction, each against the least that the engines must do for it.
//!
//! ```text
//!   ours   fresh copy of the base, opened:  SplitStore::compact          durations from its report
//!   raw    fresh copy of the base, opened:  get live | iterate | insert moved into redb | delete moved
//! ```
//! Both begin with empty block caches and the files in the page cache.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use splitstore_domain::{BlockKey, CompactionReport, Phase};

use crate::compose::{self, hot_path};
use crate::engine::{Ask, RawCold, RawHot};
use crate::order::shuffled;
use crate::pair::{Pair, in_turns, timed};
use crate::workload::{Record, as_records};
use crate::{Ground, Scenario, Work};

pub(crate) const WORKS: &[Work] = &[
    Work { name: "mark", against: "RocksDB `get_pinned` of every live block, random order" },
    Work { name: "collect", against: "RocksDB iterator over all keys" },
    Work { name: "transfer", against: "redb insert, one sorted pass, one durable commit" },
    Work { name: "purge", against: "RocksDB delete, same batches, same syncs" },
];

/// Keys that purge deletes in one batch.
const DELETE_BATCH: usize = 256;
/// Keys between two syncs of purge: 16 chunks of 1024 candidates.
const KEYS_PER_SYNC: usize = 16 * 1024;

struct Phases<'g> {
    ground: &'g Ground,
    /// Keys of what stays, in random order.
    live: Vec<BlockKey>,
    /// What moves, in key order.
    moved: Vec<Record>,
}

pub(crate) fn make(ground: &Ground) -> Result<Box<dyn Scenario + '_>> {
    let stores = ground.stores()?;
    let live = shuffled(stores.live.iter().map(BlockKey::from).collect());
    let moving: std::collections::HashSet<_> = stores.moved.iter().collect();
    let blocks = ground.chain()?.blocks.iter().filter(|(cid, _)| moving.contains(cid));
    let mut moved = as_records(blocks);
    moved.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    Ok(Box::new(Phases { ground, live, moved }))
}

impl Scenario for Phases<'_> {
    fn round(&mut self, turn: usize) -> Result<Vec<Pair>> {
        let (report, raw) = in_turns(turn, || self.ours(), || self.raw())?;
        let (live, moved) = (self.live.len() as u64, self.moved.len() as u64);
        ensure!(
            (report.plan.keep.blocks, report.plan.transfer.blocks) == (live, moved),
            "this run decided otherwise than the first: {report}"
        );
        let phases = [Phase::Mark, Phase::Collect, Phase::Transfer, Phase::Purge];
        let items = [live, live + moved, moved, moved];
        let pairs = phases.into_iter().zip(items).zip(raw);
        pairs.map(|((phase, items), raw)| Ok(Pair { items, ours: took(&report, phase)?, raw })).collect()
    }
}

impl Phases<'_> {
    fn ours(&self) -> Result<CompactionReport> {
        let folder = self.ground.fresh()?;
        self.copy_base(&hot_path(folder.path()))?;
        let store = compose::open(folder.path(), self.ground.size.settings())?;
        store.start(&self.ground.chain()?.head)?;
        Ok(store.store.compact()?)
    }

    /// In the order of the phases.
    fn raw(&self) -> Result<[Duration; 4]> {
        let folder = self.ground.fresh()?;
        let path = folder.path().join("hot");
        self.copy_base(&path)?;
        let (hot, cold) = (RawHot::open(&path)?, RawCold::open(&folder.path().join("cold.redb"))?);
        let doomed: Vec<BlockKey> = self.moved.iter().map(|(key, _)| key.clone()).collect();
        let clock = &self.ground.clock;
        let (mark, _bytes) = timed(clock, || hot.read(&self.live, Ask::Pinned))?;
        let (collect, _keys) = timed(clock, || hot.scan())?;
        let (transfer, ()) = timed(clock, || cold.insert_sorted(&self.moved))?;
        let (purge, ()) = timed(clock, || purge(&hot, &doomed))?;
        Ok([mark, collect, transfer, purge])
    }

    fn copy_base(&self, to: &Path) -> Result<()> {
        RawHot::copy(&hot_path(&self.ground.stores()?.base), to)
    }
}

fn purge(hot: &RawHot, doomed: &[BlockKey]) -> Result<()> {
    for stretch in doomed.chunks(KEYS_PER_SYNC) {
        stretch.chunks(DELETE_BATCH).try_for_each(|batch| hot.delete(batch))?;
        hot.sync()?;
    }
    Ok(())
}

fn took(report: &CompactionReport, phase: Phase) -> Result<Duration> {
    let line = report.phases.iter().find(|line| line.phase == phase);
    Ok(line.with_context(|| format!("the report has no {phase}"))?.duration)
}
