//! Who opens the parts of a store: this machine's engines and files, or layers that a test puts below them.

use std::path::Path;
use std::sync::Arc;

use splitstore_files::OsFiles;
use splitstore_ports::{ColdStore, FileSystem, HotStore, MetaStore, Result};
use splitstore_redb::{RedbCold, RedbMeta, RedbOptions};

use super::settings::HotEngine;

/// Opens the parts of a store, making those that are not there.
///
/// Which files there are is the same for all; how they are reached is not.
pub trait Parts: Send + Sync {
    /// The fast tier in `folder`; `None` if this build lacks the engine.
    fn hot(&self, engine: HotEngine, folder: &Path) -> Result<Option<Arc<dyn HotStore>>>;

    /// The cheap tier in `file`, whose folder is there.
    fn cold(&self, file: &Path) -> Result<Arc<dyn ColdStore>>;

    /// The metadata in `file`, whose folder is there.
    fn meta(&self, file: &Path) -> Result<Arc<dyn MetaStore>>;

    /// The file system of the journal and what goes with it.
    fn files(&self) -> Arc<dyn FileSystem>;
}

/// Engines with their defaults on this machine's file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalParts;

impl Parts for LocalParts {
    fn hot(&self, engine: HotEngine, folder: &Path) -> Result<Option<Arc<dyn HotStore>>> {
        match engine {
            #[cfg(feature = "rocksdb")]
            HotEngine::Rocksdb => {
                use splitstore_rocksdb::{RocksHot, RocksOptions};
                Ok(Some(Arc::new(RocksHot::open(folder, RocksOptions::default())?)))
            }
            #[cfg(feature = "fjall")]
            HotEngine::Fjall => {
                use splitstore_fjall::{FjallHot, FjallOptions};
                Ok(Some(Arc::new(FjallHot::open(folder, FjallOptions::default())?)))
            }
            #[cfg(not(all(feature = "rocksdb", feature = "fjall")))]
            _ => {
                let _ = folder;
                Ok(None)
            }
        }
    }

    fn cold(&self, file: &Path) -> Result<Arc<dyn ColdStore>> {
        Ok(Arc::new(RedbCold::open(file, RedbOptions::default())?))
    }

    fn meta(&self, file: &Path) -> Result<Arc<dyn MetaStore>> {
        Ok(Arc::new(RedbMeta::open(file)?))
    }

    fn files(&self) -> Arc<dyn FileSystem> {
        Arc::new(OsFiles::new())
    }
}
