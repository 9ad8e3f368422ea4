//! The engines that settings name, opened.

use std::path::Path;
use std::sync::Arc;

use splitstore_files::OsFiles;
use splitstore_marksets::{BloomSets, DiskSets, ExactSets, RoaringSets};
use splitstore_ports::{ColdStore, FileSystem, HotStore, MetaStore};
use splitstore_redb::{RedbCold, RedbMeta, RedbOptions};

use super::error::{FolderError, Result};
use super::place::{COLD, COLD_FILE, HOT, META};
use super::settings::{ColdEngine, FolderSettings, HotEngine, MarksKind};
use crate::MarkSets;

/// Tiers and metadata of one store.
pub(super) struct Engines {
    pub(super) hot: Arc<dyn HotStore>,
    pub(super) cold: Arc<dyn ColdStore>,
    pub(super) meta: Arc<dyn MetaStore>,
}

impl Engines {
    /// Opens them, making what is not there.
    pub(super) fn open(path: &Path, settings: &FolderSettings) -> Result<Self> {
        let port = FolderError::port(path);
        let hot = open_hot(path, settings.hot)?;
        let ColdEngine::Redb = settings.cold;
        OsFiles::new().create_dir(&path.join(COLD)).map_err(&port)?;
        let cold = RedbCold::open(&path.join(COLD).join(COLD_FILE), RedbOptions::default()).map_err(&port)?;
        let meta = RedbMeta::open(&path.join(META)).map_err(&port)?;
        Ok(Self { hot, cold: Arc::new(cold), meta: Arc::new(meta) })
    }
}

fn open_hot(path: &Path, engine: HotEngine) -> Result<Arc<dyn HotStore>> {
    let folder = path.join(HOT);
    match engine {
        #[cfg(feature = "rocksdb")]
        HotEngine::Rocksdb => {
            use splitstore_rocksdb::{RocksHot, RocksOptions};
            let hot = RocksHot::open(folder, RocksOptions::default()).map_err(FolderError::port(path))?;
            Ok(Arc::new(hot))
        }
        #[cfg(feature = "fjall")]
        HotEngine::Fjall => {
            use splitstore_fjall::{FjallHot, FjallOptions};
            let hot = FjallHot::open(folder, FjallOptions::default()).map_err(FolderError::port(path))?;
            Ok(Arc::new(hot))
        }
        #[cfg(not(all(feature = "rocksdb", feature = "fjall")))]
        engine => {
            drop(folder);
            Err(FolderError::NotBuilt { path: path.to_owned(), engine })
        }
    }
}

/// The mark sets of a kind.
pub(super) fn mark_sets(kind: MarksKind) -> MarkSets {
    // A set that is asked first pays where the exact one lives on disk.
    let visits = Arc::new(DiskSets::default());
    match kind {
        MarksKind::Exact => MarkSets::Exact(Arc::new(ExactSets)),
        MarksKind::Disk => MarkSets::Exact(visits),
        MarksKind::Roaring => MarkSets::Split { visits, marks: Arc::new(RoaringSets) },
        MarksKind::Bloom => MarkSets::Split { visits, marks: Arc::new(BloomSets) },
    }
}
