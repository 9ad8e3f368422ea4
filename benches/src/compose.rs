//! A split store in a folder, composed as the command line does it: RocksDB hot, redb cold, exact marks.
//!
//! ```text
//!   <folder>/hot/  cold.redb  meta.redb  work/
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use cid::Cid;
use splitstore_domain::{HeadChange, Pacing, Policy, Settings, TipsetKey};
use splitstore_filecoin::FilecoinChain;
use splitstore_files::{OsFiles, SystemClock};
use splitstore_marksets::ExactSets;
use splitstore_orchestrator::{Components, MarkSets, MarkStrategy, Options, SplitStore, Support, Trigger};
use splitstore_ports::{ChainAccessor, NoObserver, Observer};
use splitstore_redb::{RedbCold, RedbMeta, RedbOptions};
use splitstore_rocksdb::{RocksHot, RocksOptions};

/// An open store, and its hot tier to look behind it.
pub(crate) struct Composed {
    pub(crate) store: SplitStore,
    pub(crate) hot: Arc<RocksHot>,
}

/// Where the hot tier is in a store's folder.
pub(crate) fn hot_path(folder: &Path) -> PathBuf {
    folder.join("hot")
}

/// Where the cold tier is in a store's folder.
pub(crate) fn cold_path(folder: &Path) -> PathBuf {
    folder.join("cold.redb")
}

/// Opens or makes a store that has no chain yet.
pub(crate) fn open(folder: &Path, settings: Settings) -> Result<Composed> {
    open_as(folder, settings, MarkStrategy::default(), Arc::new(NoObserver))
}

/// The same, marking in this way, with an observer.
pub(crate) fn open_as(
    folder: &Path,
    settings: Settings,
    strategy: MarkStrategy,
    observer: Arc<dyn Observer>,
) -> Result<Composed> {
    open_with(folder, settings, (strategy, Pacing::Fast), observer, RocksOptions::default())
}

/// The same at this pace, with these options of hot.
pub(crate) fn open_with(
    folder: &Path,
    settings: Settings,
    (strategy, pacing): (MarkStrategy, Pacing),
    observer: Arc<dyn Observer>,
    hot: RocksOptions,
) -> Result<Composed> {
    let hot = Arc::new(RocksHot::open(hot_path(folder), hot)?);
    let cold = Arc::new(RedbCold::open(cold_path(folder), RedbOptions::default())?);
    let support = Support {
        meta: Arc::new(RedbMeta::open(folder.join("meta.redb"))?),
        files: Arc::new(OsFiles::new()),
        clock: Arc::new(SystemClock::new()),
        marks: MarkSets::Exact(Arc::new(ExactSets)),
    };
    let mut options = Options::new(Policy::new(settings)?, folder);
    options.trigger = Trigger::Manual;
    options.strategy = strategy;
    options.pacing = pacing;
    let components = Components { observer, ..Components::new(hot.clone(), cold, support) };
    let store = SplitStore::open(components, options)?;
    Ok(Composed { store, hot })
}

impl Composed {
    /// Gives the store the chain that these headers are the head of.
    pub(crate) fn start(&self, head: &[Cid]) -> Result<()> {
        let chain = Arc::new(FilecoinChain::new(Arc::new(self.store.untracked())));
        let tipset = chain.tipset(&TipsetKey::new(head.to_vec()))?.context("the head is not in the store")?;
        chain.set_head(&HeadChange { revert: Vec::new(), apply: vec![tipset] })?;
        Ok(self.store.start(chain)?)
    }
}
