//! What all scenarios share: a folder, a clock, the chain, and the stores made of it. Made when first needed.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::Result;
use cid::Cid;
use splitstore_domain::BlockKey;
use splitstore_files::SystemClock;
use splitstore_ports::{BlockWrite, HotStore, Interrupt, KeyEntry, KeyScan, ReclaimMode};
use tempfile::TempDir;

use crate::Size;
use crate::compose::{self, hot_path};
use crate::engine::RawHot;
use crate::workload::{Chain, as_blocks};

/// Blocks in one call of `put_many`.
pub(crate) const BATCH: usize = 1024;

/// The ground that scenarios stand on.
pub struct Ground {
    pub(crate) size: Size,
    pub(crate) clock: SystemClock,
    folder: TempDir,
    chain: OnceCell<Chain>,
    stores: OnceCell<Stores>,
}

/// Two stores on disk, both closed.
pub(crate) struct Stores {
    /// All blocks in hot, in settled tables.
    pub(crate) base: PathBuf,
    /// The same after one compaction.
    pub(crate) compacted: PathBuf,
    /// What that left in hot, in key order.
    pub(crate) live: Vec<Cid>,
    /// What it moved, in the chain's order.
    pub(crate) moved: Vec<Cid>,
}

impl Ground {
    /// Nothing yet but a folder in `parent`, which is removed in the end.
    pub fn new(parent: &Path, size: Size) -> Result<Self> {
        std::fs::create_dir_all(parent)?;
        let folder = tempfile::Builder::new().prefix("splitstore-bench-").tempdir_in(parent)?;
        let (chain, stores) = (OnceCell::new(), OnceCell::new());
        Ok(Self { size, clock: SystemClock::new(), folder, chain, stores })
    }

    /// How much is measured.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// What the data is, if any was needed.
    pub fn data(&self) -> Option<String> {
        let chain = self.chain.get()?;
        let count = format!("{} blocks, {} bytes of data", chain.blocks.len(), chain.bytes);
        let Some(stores) = self.stores.get() else { return Some(count) };
        Some(format!("{count}; {} stay hot, {} move to cold", stores.live.len(), stores.moved.len()))
    }

    /// A new folder for one round.
    pub(crate) fn fresh(&self) -> Result<TempDir> {
        Ok(tempfile::tempdir_in(&self.folder)?)
    }

    pub(crate) fn chain(&self) -> Result<&Chain> {
        if let Some(chain) = self.chain.get() {
            return Ok(chain);
        }
        let chain = Chain::generate(&self.size.spec())?;
        Ok(self.chain.get_or_init(|| chain))
    }

    pub(crate) fn stores(&self) -> Result<&Stores> {
        if let Some(stores) = self.stores.get() {
            return Ok(stores);
        }
        let stores = self.make_stores()?;
        Ok(self.stores.get_or_init(|| stores))
    }

    fn make_stores(&self) -> Result<Stores> {
        let (base, compacted) = (self.folder.path().join("base"), self.folder.path().join("compacted"));
        std::fs::create_dir(&base)?;
        self.load(&base)?;
        RawHot::copy(&hot_path(&base), &hot_path(&compacted))?;
        let store = compose::open(&compacted, self.size.settings())?;
        store.start(&self.chain()?.head)?;
        eprintln!("{}", store.store.compact()?);
        let live = keys(&*store.hot)?;
        let stays: HashSet<&BlockKey> = live.iter().map(|entry| &entry.key).collect();
        let all = self.chain()?.blocks.iter().map(|(cid, _)| *cid);
        let moved = all.filter(|cid| !stays.contains(&BlockKey::from(cid))).collect();
        store.store.close()?;
        Ok(Stores { base, compacted, live: live.iter().map(KeyEntry::cid).collect(), moved })
    }

    /// All blocks into hot; then one full reclaim, so that no round pays for tables that others wrote.
    fn load(&self, folder: &Path) -> Result<()> {
        let store = compose::open(folder, self.size.settings())?;
        for blocks in self.chain()?.blocks.chunks(BATCH) {
            store.store.put_many(&as_blocks(blocks))?;
        }
        if let Some(hot) = store.hot.maintenance() {
            hot.reclaim(ReclaimMode::Full, &Interrupt::new())?;
        }
        Ok(store.store.close()?)
    }
}

fn keys(scan: &dyn KeyScan) -> Result<Vec<KeyEntry>> {
    let (mut cursor, mut keys, mut before) = (scan.keys()?, Vec::new(), usize::MAX);
    while before != keys.len() {
        before = keys.len();
        cursor.next_batch(&mut keys, BATCH)?;
    }
    Ok(keys)
}
