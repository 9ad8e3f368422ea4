//! The disk below a store: the real one, or one that a kill cuts the power of.
//!
//! ```text
//!   per process, by its seed     RocksDB   3 of 4 lose unsynced data, the others none of it; half of all write
//!                                          the log back by themselves now and then
//!                                redb      of the unsynced sectors none, few, half or all go early
//!   after the kill, by chance    own files settled, see splitstore_faultfs::settle
//! ```
//! Any of these is a state that a power cut may leave, also "everything of one, nothing of the other".

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use splitstore::cold::redb::{Disk as RedbDisk, RedbCold, RedbOptions};
use splitstore::folder::{HotEngine, LocalParts, Parts};
use splitstore::hot::rocksdb::{RocksHot, RocksOptions};
use splitstore::meta::redb::RedbMeta;
use splitstore::ports::{ColdStore, FileSystem, HotStore, MetaStore, Result};
use splitstore_faultfs::{Dice, HeldBackend, LedgerFiles, forgetful_env};

use crate::Survives;

/// Shares of sectors that redb's disk writes early, in thousandths.
const EARLY: [u64; 5] = [0, 0, 50, 500, 1000];

/// The disk below a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disk {
    /// This machine's. A kill loses nothing that was written.
    Real,
    /// One that forgets what was not synced; its choices follow from the seed.
    Forgetful(u64),
}

impl Disk {
    /// What a kill leaves.
    pub const fn survives(self) -> Survives {
        match self {
            Self::Real => Survives::Everything,
            Self::Forgetful(_) => Survives::Flushed,
        }
    }

    /// The parts of a store on it, with the ledger of a process at `ledger`.
    pub fn parts(self, ledger: &Path) -> Result<Arc<dyn Parts>> {
        Ok(match self {
            Self::Real => Arc::new(LocalParts),
            Self::Forgetful(seed) => Arc::new(Forgetful::new(seed, ledger)?),
        })
    }

    /// The seed of log writes that nobody asked for, if there are to be any.
    pub(crate) fn writeback(self) -> Option<u64> {
        let Self::Forgetful(seed) = self else { return None };
        Dice::new(seed, 1).word().is_multiple_of(2).then_some(seed)
    }
}

/// The ledger of the store in `folder`.
pub(crate) fn ledger(folder: &Path) -> PathBuf {
    folder.join("ledger")
}

struct Forgetful {
    seed: u64,
    loses_log: bool,
    early: u64,
    files: LedgerFiles,
    opened: AtomicU64,
}

impl Forgetful {
    fn new(seed: u64, ledger: &Path) -> Result<Self> {
        let mut dice = Dice::new(seed, 0);
        Ok(Self {
            seed,
            loses_log: dice.below(4) > 0,
            early: dice.pick(&EARLY).copied().unwrap_or_default(),
            files: LedgerFiles::new(ledger)?,
            opened: AtomicU64::new(2),
        })
    }

    fn redb(&self) -> RedbDisk {
        let dice = Dice::new(self.seed, self.opened.fetch_add(1, Ordering::Relaxed));
        let early = self.early;
        RedbDisk::bent(move |file| Ok(Box::new(HeldBackend::new(file, dice.clone(), early)?)))
    }
}

impl Parts for Forgetful {
    fn hot(&self, engine: HotEngine, folder: &Path) -> Result<Option<Arc<dyn HotStore>>> {
        if engine != HotEngine::Rocksdb || !self.loses_log {
            return LocalParts.hot(engine, folder);
        }
        Ok(Some(Arc::new(RocksHot::open_in(&forgetful_env(), folder, RocksOptions::default())?)))
    }

    fn cold(&self, file: &Path) -> Result<Arc<dyn ColdStore>> {
        Ok(Arc::new(RedbCold::open_on_disk(self.redb(), file, RedbOptions::default())?))
    }

    fn meta(&self, file: &Path) -> Result<Arc<dyn MetaStore>> {
        Ok(Arc::new(RedbMeta::open_on_disk(self.redb(), file)?))
    }

    fn files(&self) -> Arc<dyn FileSystem> {
        Arc::new(self.files.clone())
    }
}
