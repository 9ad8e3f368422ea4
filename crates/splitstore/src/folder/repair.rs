//! Repair: the hot tier written anew from what can be read of it.
//!
//! ```text
//!   put aside      the files of hot get second names          hot            hot.new         hot.damaged-1    links
//!   open, close    an earlier run is finished or dropped      damaged                        = as it was      index of damaged
//!   copy                                                      damaged  --->  whole           = as it was      index of damaged
//!   link index goes: its notes were not copied                damaged        whole           = as it was      -
//!   note of losses                                            damaged, note  whole           as it was, note  -
//!   exchange, in one step                                     whole          damaged, note   as it was, note  -
//!   remove the opened one                                     whole          -               as it was, note  -
//! ```
//! A crash before the exchange leaves the store as it was, and a half-written `hot.new` that the next repair removes. As soon
//! as that is written it is `hot.whole`, and after the exchange it is the old one that is called so until it is removed. Nothing that lies under these names
//! without a note of a repair of this tier (`note.rs`) is touched. What was lost is in the note of the old one before the exchange: whoever is
//! killed between the two has not told it, and the next repair does.

mod aside;
mod note;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use splitstore_domain::{BlockKey, ByteCount};
use splitstore_files::{OsFiles, StoreLock, exchange};
use splitstore_ports::FileSystem;
use splitstore_rocksdb::{Rescued, RocksHot, RocksOptions, cut_files};

use self::aside::{Aside, free_name};
use self::note::{Losses, Note};
use super::error::{FolderError, Result};
use super::place::{HOT, LINKS, LOCK, WORK, refuse_missing_parts};
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
    /// Files of the old tier that end in the middle, or are damaged there: its log, or its list of tables. What they held from there on
    /// is not in the new one, unless it was in a table as well.
    pub cut: Vec<PathBuf>,
    /// The old hot tier.
    pub kept: PathBuf,
}

impl Repaired {
    /// Whether everything that was in hot is there.
    pub const fn is_whole(&self) -> bool {
        self.lost.is_empty() && self.gaps == 0 && self.cut.is_empty()
    }
}

impl StoreFolder {
    /// Writes the hot tier of a store anew from what can be read of it; the old one is kept beside it. For a store that nobody
    /// has open, with room for a second hot tier on its disk.
    ///
    /// Errors: `NoRepair` for an engine that has none; `Unfinished` where a run that has sealed cannot be finished; `OwnDisk` where hot is
    /// the root of a disk; `Interfered` where another process came between; `InTheWay` for what no repair has left; whatever else
    /// keeps the store from being opened. The store is as it was then.
    pub fn repair(path: impl AsRef<Path>) -> Result<Repaired> {
        let path = path.as_ref();
        let engine = Self::settings_at(path)?.hot;
        if !engine.has_repair() {
            return Err(FolderError::NoRepair { path: path.to_owned(), engine });
        }
        let lock = StoreLock::acquire(&path.join(LOCK)).map_err(FolderError::port(path))?;
        refuse_missing_parts(path, engine)?;
        let hot = fs::canonicalize(path.join(HOT)).map_err(FolderError::io("find", &path.join(HOT)))?;
        if is_root_of_disk(&hot).map_err(FolderError::io("look at", &hot))? {
            return Err(FolderError::OwnDisk { path: hot });
        }
        let swap = Swap::beside(hot)?;
        let aside = Aside::put(&swap.hot)?;
        // Whoever opens the store takes it.
        drop(lock);
        swap.run(path, &aside).map_err(|error| aside.give_up(error))
    }
}

/// Whether a folder is on another disk than the one that it is in, or is another's place on the same.
fn is_root_of_disk(hot: &Path) -> std::io::Result<bool> {
    let disk = |path: &Path| fs::metadata(path).map(|metadata| metadata.dev());
    let Some(parent) = hot.parent() else { return Ok(true) };
    // Mounts by device number and, where the system lists them, by name.
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let is_mount = mounts.lines().any(|line| line.split(' ').nth(4).map(Path::new) == Some(hot));
    Ok(is_mount || disk(hot)? != disk(parent)?)
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

/// The folders of a repair.
struct Swap {
    hot: PathBuf,
    /// Being written.
    new: PathBuf,
    /// Written, or what it was exchanged for.
    whole: PathBuf,
    /// What a repair that was killed has not told.
    untold: Losses,
}

impl Swap {
    /// Refuses what lies there and is not of a repair; removes what one has left.
    fn beside(hot: PathBuf) -> Result<Self> {
        let (new, whole) = (named(&hot, ".new"), named(&hot, ".whole"));
        let mut untold = Losses::default();
        for path in [&new, &whole] {
            if fs::symlink_metadata(path).is_err() {
                continue;
            }
            match note::read(path, &hot).map_err(FolderError::io("look at", path))? {
                None => return Err(FolderError::InTheWay { path: path.clone() }),
                // The old one is in its place.
                Some(Note::New) => fs::remove_dir_all(path).map_err(FolderError::io("remove", path))?,
                Some(Note::Old(losses)) => {
                    untold = losses;
                    fs::rename(path, free_name(&hot)).map_err(FolderError::io("keep", path))?;
                }
            }
        }
        Ok(Self { hot, new, whole, untold })
    }

    fn run(&self, store: &Path, aside: &Aside) -> Result<Repaired> {
        let port = FolderError::port(store);
        finish_runs(store)?;
        let _lock = StoreLock::acquire(&store.join(LOCK)).map_err(&port)?;
        // Since it was closed another process may have begun one, and died.
        if has_run(store).map_err(&port)? {
            return Err(FolderError::Interfered { path: store.to_owned() });
        }
        let cut = cut_files(&aside.path).map_err(&port)?;
        let rescued = self.copy().inspect_err(|_| {
            // A disk that it has filled stays full otherwise.
            let _ = fs::remove_dir_all(&self.new);
        });
        let Rescued { blocks, bytes, lost, gaps, .. } = rescued?;
        let mut repaired = Repaired { blocks, bytes, lost, gaps, cut, kept: aside.path.clone() };
        fs::rename(&self.new, &self.whole).map_err(FolderError::io("rename", &self.new))?;
        let files = OsFiles::new();
        files.remove_dir(&store.join(LINKS)).map_err(&port)?;
        files.sync_dir(store).map_err(&port)?;
        self.exchange(&mut repaired)?;
        Ok(repaired)
    }

    /// Puts the new one in the place of the old one, of which a second is kept.
    fn exchange(&self, repaired: &mut Repaired) -> Result<()> {
        let losses = Losses { lost: repaired.lost.clone(), gaps: repaired.gaps + repaired.cut.len() as u64 };
        for old in [&self.hot, &repaired.kept] {
            note::end(old, &self.hot, &losses).map_err(FolderError::io("write a note into", old))?;
        }
        exchange(&self.hot, &self.whole).map_err(FolderError::port(&self.hot))?;
        repaired.gaps += self.untold.gaps;
        repaired.lost.extend(self.untold.lost.iter().cloned());
        // From here on all is done: what is left costs room, and the next repair removes it.
        let _ = fs::remove_file(self.hot.join(note::NAME));
        let _ = fs::remove_dir_all(&self.whole);
        Ok(())
    }

    fn copy(&self) -> Result<Rescued> {
        fs::create_dir(&self.new).map_err(FolderError::io("make", &self.new))?;
        note::begin(&self.new, &self.hot).map_err(FolderError::io("write a note into", &self.new))?;
        let port = FolderError::port(&self.hot);
        let open = |path: &Path| RocksHot::open(path, RocksOptions::default()).map_err(&port);
        open(&self.hot)?.rescue_to(&open(&self.new)?).map_err(&port)
    }
}

fn named(hot: &Path, end: &str) -> PathBuf {
    let mut name = hot.to_owned().into_os_string();
    name.push(end);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mounted_is_the_root_of_a_disk_and_a_folder_in_it_is_none() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_root_of_disk(folder.path()).unwrap());
        assert!(is_root_of_disk(Path::new("/proc")).unwrap());
        assert!(is_root_of_disk(Path::new("/")).unwrap());
    }
}
