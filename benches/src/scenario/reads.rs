//! Reads of a compacted store, nothing running: one block at a time in random order, and all keys in order.

use std::hint::black_box;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cid::Cid;
use redb::ReadOnlyTable;
use splitstore_domain::BlockKey;
use splitstore_orchestrator::SplitStore;
use splitstore_ports::{BlockRead, KeyScan};
use tempfile::TempDir;

use crate::compose::{self, Composed, cold_path, hot_path};
use crate::engine::{Ask, RawCold, RawHot, read_cold};
use crate::order::{part, shuffled};
use crate::pair::{Pair, in_turns, timed};
use crate::{Ground, Scenario, Work};

pub(crate) const WORKS: &[Work] = &[
    Work { name: "get", against: "RocksDB `get`" },
    Work { name: "view", against: "RocksDB `get_pinned`" },
    Work { name: "get cold", against: "redb `get`" },
    Work { name: "scan", against: "RocksDB iterator" },
];

/// Keys of one `next_batch`, as collection asks for them.
const SCAN_BATCH: usize = 4096;

struct Reads<'g> {
    ground: &'g Ground,
    store: Composed,
    raw_hot: RawHot,
    raw_cold: ReadOnlyTable<&'static [u8], &'static [u8]>,
    live: Keys,
    moved: Keys,
    // Last, so that it is removed after all that is open in it.
    _folders: (TempDir, RawCold),
}

/// Keys in random order, for both sides.
struct Keys {
    cids: Vec<Cid>,
    keys: Vec<BlockKey>,
}

impl Keys {
    fn new(cids: &[Cid]) -> Self {
        let cids = shuffled(cids.to_vec());
        let keys = cids.iter().map(BlockKey::from).collect();
        Self { cids, keys }
    }
}

pub(crate) fn make(ground: &Ground) -> Result<Box<dyn Scenario + '_>> {
    let stores = ground.stores()?;
    let folder = ground.fresh()?;
    let raw_path = folder.path().join("raw");
    RawHot::copy(&hot_path(&stores.compacted), &raw_path)?;
    let raw_hot = RawHot::open(&raw_path)?;
    let copy = folder.path().join("raw.redb");
    std::fs::copy(cold_path(&stores.compacted), &copy)?;
    let cold = RawCold::open(&copy)?;
    let store = compose::open(&stores.compacted, ground.size.settings())?;
    let (live, moved) = (Keys::new(&stores.live), Keys::new(&stores.moved));
    let raw_cold = cold.table()?;
    let reads = Reads { ground, store, raw_hot, raw_cold, live, moved, _folders: (folder, cold) };
    reads.warm_up()?;
    Ok(Box::new(reads))
}

impl Scenario for Reads<'_> {
    fn round(&mut self, turn: usize) -> Result<Vec<Pair>> {
        Ok(vec![
            self.hot(turn, Ask::Copied)?,
            self.hot(turn, Ask::Pinned)?,
            self.cold(turn)?,
            self.scan(turn)?,
        ])
    }
}

impl Reads<'_> {
    /// Every block once on both sides, so that all that fits in a cache is in it.
    fn warm_up(&self) -> Result<()> {
        let store = &self.store.store;
        get(store, &self.live.cids)?;
        get(store, &self.moved.cids)?;
        self.raw_hot.read(&self.live.keys, Ask::Copied)?;
        read_cold(&self.raw_cold, &self.moved.keys).map(drop)
    }

    fn hot(&self, turn: usize, ask: Ask) -> Result<Pair> {
        let (cids, keys) = (self.part(&self.live.cids, turn), self.part(&self.live.keys, turn));
        let store = &self.store.store;
        let ours = || match ask {
            Ask::Copied => get(store, cids),
            Ask::Pinned => view(store, cids),
        };
        self.pair(turn, cids.len(), ours, || self.raw_hot.read(keys, ask))
    }

    fn cold(&self, turn: usize) -> Result<Pair> {
        let (cids, keys) = (self.part(&self.moved.cids, turn), self.part(&self.moved.keys, turn));
        let ours = || get(&self.store.store, cids);
        self.pair(turn, cids.len(), ours, || read_cold(&self.raw_cold, keys))
    }

    fn scan(&self, turn: usize) -> Result<Pair> {
        let clock = &self.ground.clock;
        let ours = || timed(clock, || scan(&*self.store.hot));
        let ((ours, keys), (raw, found)) = in_turns(turn, ours, || timed(clock, || self.raw_hot.scan()))?;
        ensure!(keys == found, "we scan {keys} keys, the engine {found}");
        Ok(Pair { items: keys, ours, raw })
    }

    fn part<'k, T>(&self, keys: &'k [T], turn: usize) -> &'k [T] {
        part(keys, self.ground.size.reads(), turn)
    }

    /// Both sides' time and bytes; a record is a codec of one byte and the data.
    fn pair(
        &self,
        turn: usize,
        items: usize,
        ours: impl Fn() -> Result<u64>,
        raw: impl Fn() -> Result<u64>,
    ) -> Result<Pair> {
        let clock = &self.ground.clock;
        let measured: ((Duration, u64), (Duration, u64)) =
            in_turns(turn, || timed(clock, ours), || timed(clock, raw))?;
        let ((ours, data), (raw, records)) = measured;
        let items = items as u64;
        ensure!(data + items == records, "we read {data} bytes of {items} blocks, the engine {records}");
        Ok(Pair { items, ours, raw })
    }
}

fn get(store: &SplitStore, cids: &[Cid]) -> Result<u64> {
    let mut bytes = 0;
    for cid in cids {
        let found = store.get(cid)?.with_context(|| format!("{cid} is not there"))?;
        bytes += black_box(found).len() as u64;
    }
    Ok(bytes)
}

fn view(store: &SplitStore, cids: &[Cid]) -> Result<u64> {
    let mut bytes = 0;
    for cid in cids {
        store.view(cid, &mut |data| bytes += black_box(data).len() as u64)?;
    }
    Ok(bytes)
}

fn scan(keys: &dyn KeyScan) -> Result<u64> {
    let (mut cursor, mut batch, mut scanned) = (keys.keys()?, Vec::with_capacity(SCAN_BATCH), 0);
    loop {
        batch.clear();
        cursor.next_batch(&mut batch, SCAN_BATCH)?;
        if batch.is_empty() {
            return Ok(scanned);
        }
        scanned += black_box(&batch).len() as u64;
    }
}
