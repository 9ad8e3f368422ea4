//! A hit in hot, over and over: the split store against the engine, and the engine against itself.
//!
//! ```text
//!   chunk    100 keys in random order, read by each of three in one of six orders
//!   engine   RocksDB on a copy of hot          control   the same on another copy: what no code explains
//!   store    `SplitStore::get` on the store    all three have handles and caches of their own
//! ```
//! The control is the point: two runs of identical code differ too, and a difference below that is none.

use std::fmt;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cid::Cid;
use splitstore_domain::{BlockKey, Settings};
use splitstore_files::SystemClock;
use splitstore_orchestrator::SplitStore;
use tempfile::TempDir;

use crate::Ground;
use crate::compose::{self, Composed, hot_path};
use crate::engine::{Ask, RawHot};
use crate::order::shuffled;
use crate::pair::timed;

/// Keys of a chunk.
const CHUNK: usize = 100;
/// All orders of three.
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0], [1, 0, 2], [0, 2, 1]];

/// Who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// The engine.
    Engine,
    /// The engine again.
    Control,
    /// The split store.
    Store,
}

const READERS: [Reader; 3] = [Reader::Engine, Reader::Control, Reader::Store];

/// The three, warm.
pub struct Hits {
    clock: SystemClock,
    store: Composed,
    engines: [RawHot; 2],
    cids: Vec<Cid>,
    keys: Vec<BlockKey>,
    // Last, so that it is removed after all that is open in it.
    _folder: TempDir,
}

impl Hits {
    /// Opens the compacted store and two copies of its hot tier, and reads each block once.
    pub fn new(ground: &Ground) -> Result<Self> {
        let stores = ground.stores()?;
        Self::on(&stores.compacted, ground.size().settings(), stores.live.clone(), ground.fresh()?)
    }

    /// The same with these blocks of any store that nobody has open; copies go to `folder`.
    pub(crate) fn on(store: &Path, settings: Settings, cids: Vec<Cid>, folder: TempDir) -> Result<Self> {
        let copy = |name: &str| {
            let path = folder.path().join(name);
            RawHot::copy(&hot_path(store), &path)?;
            RawHot::open(&path)
        };
        let engines = [copy("engine")?, copy("control")?];
        let store = compose::open(store, settings)?;
        let cids = shuffled(cids);
        let keys = cids.iter().map(BlockKey::from).collect();
        let hits = Self { clock: SystemClock::new(), store, engines, cids, keys, _folder: folder };
        READERS.iter().try_for_each(|reader| hits.read(*reader, 0..hits.cids.len()).map(drop))?;
        Ok(hits)
    }

    /// Reads so many chunks with all three.
    pub fn chunks(&self, count: usize) -> Result<Chunks> {
        let mut chunks = Chunks::default();
        for turn in 0..count {
            let first = turn * CHUNK % (self.cids.len() - CHUNK).max(1);
            let keys = first..(first + CHUNK).min(self.cids.len());
            let mut took = [Duration::ZERO; 3];
            let mut bytes = [0; 3];
            for place in ORDERS[turn % ORDERS.len()] {
                let read = || self.read(READERS[place], keys.clone());
                (took[place], bytes[place]) = timed(&self.clock, read)?;
            }
            // A record is a codec of one byte and the data.
            ensure!(bytes[0] == bytes[1] && bytes[0] == bytes[2] + keys.len() as u64, "{bytes:?} bytes read");
            chunks.keys = keys.len();
            chunks.took.push(took);
        }
        Ok(chunks)
    }

    /// Reads each key once with one of them, in a function of its own that an instruction counter is to look into;
    /// how many keys, and the bytes of them.
    pub fn count(&self, reader: Reader) -> Result<(usize, u64)> {
        let bytes = match reader {
            Reader::Engine => counted_engine(&self.engines[0], &self.keys),
            Reader::Control => counted_engine(&self.engines[1], &self.keys),
            Reader::Store => counted_store(&self.store.store, &self.cids),
        };
        Ok((self.keys.len(), bytes?))
    }

    fn read(&self, reader: Reader, keys: std::ops::Range<usize>) -> Result<u64> {
        match reader {
            Reader::Engine => hits_of_engine(&self.engines[0], &self.keys[keys]),
            Reader::Control => hits_of_engine(&self.engines[1], &self.keys[keys]),
            Reader::Store => hits_of_store(&self.store.store, &self.cids[keys]),
        }
    }
}

#[inline(never)]
fn counted_engine(engine: &RawHot, keys: &[BlockKey]) -> Result<u64> {
    hits_of_engine(engine, keys)
}

#[inline(never)]
fn counted_store(store: &SplitStore, cids: &[Cid]) -> Result<u64> {
    hits_of_store(store, cids)
}

fn hits_of_engine(engine: &RawHot, keys: &[BlockKey]) -> Result<u64> {
    engine.read(keys, Ask::Copied)
}

fn hits_of_store(store: &SplitStore, cids: &[Cid]) -> Result<u64> {
    let mut bytes = 0;
    for cid in cids {
        bytes += black_box(store.get(cid)?.context("a block is not there")?).len() as u64;
    }
    Ok(bytes)
}

/// How long each took for each chunk.
#[derive(Debug, Clone, Default)]
pub struct Chunks {
    keys: usize,
    took: Vec<[Duration; 3]>,
}

impl Chunks {
    /// Nanoseconds a key, the median of all chunks.
    pub fn nanos(&self, reader: Reader) -> f64 {
        let nanos = self.took.iter().map(|took| took[reader as usize].as_nanos() as f64 / self.keys as f64);
        at(nanos.collect(), 500)
    }

    /// The chunks' own ratios to the engine: so many in a thousand are at most this.
    pub fn ratio(&self, reader: Reader, per_mille: usize) -> f64 {
        let ratios = self.took.iter().map(|took| took[reader as usize].as_secs_f64() / took[0].as_secs_f64());
        at(ratios.collect(), per_mille)
    }
}

fn at(mut numbers: Vec<f64>, per_mille: usize) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() * per_mille / 1000).copied().unwrap_or(f64::NAN)
}

impl fmt::Display for Chunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| {} chunks of {} hits | ns a hit | to engine | 25 % | 75 % |",
            self.took.len(),
            self.keys
        )?;
        writeln!(f, "|---|---:|---:|---:|---:|")?;
        for reader in READERS {
            let [low, middle, high] = [250, 500, 750].map(|share| self.ratio(reader, share));
            let nanos = self.nanos(reader);
            writeln!(f, "| {reader:?} | {nanos:.0} | {middle:.3} | {low:.3} | {high:.3} |")?;
        }
        Ok(())
    }
}
