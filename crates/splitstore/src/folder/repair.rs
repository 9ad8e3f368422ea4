//! Repair: the hot tier written anew from what can be read of it.
//!
//! ```text
//!   open, close    an earlier run is finished or dropped      hot            hot.new         links
//!   copy                                                      damaged  --->  whole           index of damaged
//!   link index goes: its notes were not copied                damaged        whole           -
//!   exchange, in one step                                     whole          damaged         -
//!   keep the old one                                          whole          hot.damaged-1   -
//! ```
//! A crash before the exchange leaves the store as it was, and a half-written `hot.new` that the next repair removes. As soon
//! as it is whole it is `hot.whole`; that name, which a crash may leave on either side of the exchange, is never removed.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use splitstore_domain::{BlockKey, ByteCount};
use splitstore_files::{OsFiles, StoreLock, exchange};
use splitstore_ports::FileSystem;
use splitstore_rocksdb::{Rescued, RocksHot, RocksOptions};

use super::error::{FolderError, Result};
use super::place::{HOT, LINKS, LOCK, WORK};
use super::settings::HotEngine;
use super::store::{Opening, StoreFolder};
use crate::Trigger;

/// What came of a repair.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Repaired {
    /// Blocks in the new hot tier.
    pub blocks: u64,
    /// Bytes of their data.
    pub bytes: ByteCount,
    /// Keys, as they were read, of blocks that are damaged and gone.
    pub lost: Vec<BlockKey>,
    /// Places from where on nothing could be read. What was there is not named.
    pub gaps: u64,
    /// The old hot tier.
    pub kept: PathBuf,
}

impl Repaired {
    /// Whether everything that was in hot is there.
    pub const fn is_whole(&self) -> bool {
        self.lost.is_empty() && self.gaps == 0
    }
}

impl StoreFolder {
    /// Writes the hot tier of a store anew from what can be read of it; the old one is kept beside it. For a store that nobody
    /// has open, with room for a second hot tier on its disk.
    ///
    /// Errors: `NoRepair` for an engine that has none; `Unfinished` where a run that has sealed cannot be finished; `OwnDisk` where hot is the root of a disk; `Interfered` where
    /// another process came between; whatever else
    /// keeps the store from being opened. The store is as it was then.
    pub fn repair(path: impl AsRef<Path>) -> Result<Repaired> {
        let path = path.as_ref();
        let engine = Self::settings_at(path)?.hot;
        if engine != HotEngine::Rocksdb {
            return Err(FolderError::NoRepair { path: path.to_owned(), engine });
        }
        finish_runs(path)?;
        let _lock = StoreLock::acquire(&path.join(LOCK)).map_err(FolderError::port(path))?;
        // Since it was closed another process may have begun one, and died.
        if has_run(path).map_err(FolderError::port(path))? {
            return Err(FolderError::Interfered { path: path.to_owned() });
        }
        let hot = fs::canonicalize(path.join(HOT)).map_err(FolderError::io("find", &path.join(HOT)))?;
        if !is_beside_its_parent(&hot).map_err(FolderError::io("look at", &hot))? {
            return Err(FolderError::OwnDisk { path: hot });
        }
        Swap::beside(hot).run(path)
    }
}

/// Whether a folder is on the disk of the one that it is in.
fn is_beside_its_parent(hot: &Path) -> std::io::Result<bool> {
    let disk = |path: &Path| fs::metadata(path).map(|metadata| metadata.dev());
    hot.parent().map_or(Ok(false), |parent| Ok(disk(hot)? == disk(parent)?))
}

/// A sealed run reads the marks of puts in hot's notes, which are not copied: opening finishes it.
fn finish_runs(path: &Path) -> Result<()> {
    let opening = Opening { trigger: Trigger::Manual, ..Opening::default() };
    let start = |source| FolderError::Start { path: path.to_owned(), source };
    let finished = StoreFolder::open_with(path, &opening).and_then(|folder| folder.close().map_err(start));
    finished.map_err(|source| match has_run(path) {
        Ok(true) => FolderError::Unfinished { path: path.to_owned(), source: Box::new(source) },
        _ => source,
    })
}

/// Whether there is what a run has left.
fn has_run(path: &Path) -> splitstore_ports::Result<bool> {
    let names = OsFiles::new().list(&path.join(WORK))?;
    Ok(names.iter().any(|name| name.starts_with(RUN)))
}

/// How the folder of a run begins.
const RUN: &str = "compaction-";

/// Old hot tiers that are told apart.
const MOST_KEPT: u32 = 10_000;

/// The folders of a repair.
struct Swap {
    hot: PathBuf,
    /// Being written.
    new: PathBuf,
    /// Written, or what it was exchanged for.
    whole: PathBuf,
}

impl Swap {
    fn beside(hot: PathBuf) -> Self {
        Self { new: named(&hot, ".new"), whole: named(&hot, ".whole"), hot }
    }

    fn run(&self, store: &Path) -> Result<Repaired> {
        let port = FolderError::port(store);
        let files = OsFiles::new();
        if self.whole.exists() {
            self.keep()?;
        }
        files.remove_dir(&self.new).map_err(&port)?;
        let rescued = self.copy().or_else(|error| {
            // A disk that it has filled stays full otherwise.
            files.remove_dir(&self.new)?;
            Err(error)
        });
        let Rescued { blocks, bytes, lost, gaps, .. } = rescued.map_err(&port)?;
        fs::rename(&self.new, &self.whole).map_err(FolderError::io("rename", &self.new))?;
        files.remove_dir(&store.join(LINKS)).map_err(&port)?;
        files.sync_dir(store).map_err(&port)?;
        exchange(&self.hot, &self.whole).map_err(&port)?;
        let kept = self.keep()?;
        self.hot.parent().map_or(Ok(()), |parent| files.sync_dir(parent)).map_err(&port)?;
        Ok(Repaired { blocks, bytes, lost, gaps, kept })
    }

    /// Gives what is called whole, and is not in use, a name of its own.
    fn keep(&self) -> Result<PathBuf> {
        let mut names = (1..=MOST_KEPT).map(|n| named(&self.hot, &format!(".damaged-{n}")));
        // Nothing is renamed over one that is full: that ends with an error.
        let kept = names.find(|path| !path.exists()).unwrap_or_else(|| named(&self.hot, ".damaged-1"));
        fs::rename(&self.whole, &kept).map_err(FolderError::io("keep", &self.whole))?;
        Ok(kept)
    }

    fn copy(&self) -> splitstore_ports::Result<Rescued> {
        let open = |path: &Path| RocksHot::open(path, RocksOptions::default());
        open(&self.hot)?.rescue_to(&open(&self.new)?)
    }
}

fn named(hot: &Path, end: &str) -> PathBuf {
    let mut name = hot.to_owned().into_os_string();
    name.push(end);
    name.into()
}
