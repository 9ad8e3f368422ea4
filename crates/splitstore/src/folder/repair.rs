//! Repair: the hot tier written anew from what can be read of it.
//!
//! ```text
//!   put aside      the files of hot get second names          hot            hot.new         hot.damaged-1    links
//!                  a note names how many of them are cut
//!   open, close    an earlier run is finished or dropped      damaged                        = as it was      index of damaged
//!   exchange of two empty folders: is it possible here        damaged                        = as it was      index of damaged
//!   copy                                                      damaged  --->  whole           = as it was      index of damaged
//!   link index goes: its notes were not copied                damaged        whole           = as it was      -
//!   note of losses                                            damaged, note  whole           = as it was      -
//!   exchange, in one step                                     whole          damaged, note   = as it was      -
//!   note of losses once more                                  whole          damaged, note   as it was, note  -
//!   remove the opened one                                     whole          -               as it was, note  -
//!   told                                                      whole          -               as it was, told  -
//! ```
//! A crash before the exchange leaves the store as it was, and a half-written `hot.new` that the next repair removes. As soon
//! as that is written it is `hot.whole`, and after the exchange it is the old one that is called so until it is removed. Nothing that lies under these names
//! without a note of a repair of this tier (`note.rs`) is touched. What was lost is in the note of the old one before the exchange: whoever is
//! killed between that and the end has not told it, and each repair does until somebody has said so (`untold.rs`).

mod aside;
mod note;
mod untold;

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use splitstore_domain::{BlockKey, ByteCount};
use splitstore_files::{OsFiles, StoreLock, exchange};
use splitstore_ports::FileSystem;
use splitstore_rocksdb::{Rescued, RocksHot, RocksOptions};

use self::aside::{Aside, free_name};
use self::note::{Losses, Note};
use self::untold::Untold;
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
    /// Folders in which the losses stand as not told yet.
    untold: Vec<PathBuf>,
}

impl Repaired {
    /// Whether everything that was in hot is there.
    pub const fn is_whole(&self) -> bool {
        self.lost.is_empty() && self.gaps == 0 && self.cut.is_empty()
    }

    /// Writes down that somebody was told what was lost. Until then each repair tells it again.
    pub fn told(&self) {
        for folder in &self.untold {
            // Who cannot write tells it once more.
            let _ = note::told(folder);
        }
    }
}

impl StoreFolder {
    /// Writes the hot tier of a store anew from what can be read of it; the old one is kept beside it. For a store that nobody
    /// has open, with room for a second hot tier on its disk. Call [`Repaired::told`] once somebody knows what was lost.
    ///
    /// Errors: `NoRepair` for an engine that has none; `Unfinished` where a run that has sealed cannot be finished; `OwnDisk` where hot is
    /// the root of a disk; `Interfered` where another process came between; `InTheWay` for what no repair has left; whatever else
    /// keeps the store from being opened. The store is as it was then, but for its link index; `Kept` names what is left beside it.
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
    Ok(is_mount(&mounts, hot) || disk(hot)? != disk(parent)?)
}

/// Whether a folder is among these mounts, in whose names blanks and the like stand as `\040`.
fn is_mount(mounts: &str, folder: &Path) -> bool {
    let escape = |byte: u8| match byte {
        b' ' | b'\t' | b'\n' | b'\\' => format!("\\{byte:03o}").into_bytes(),
        byte => vec![byte],
    };
    let name: Vec<u8> = folder.as_os_str().as_encoded_bytes().iter().copied().flat_map(escape).collect();
    mounts.lines().any(|line| line.split(' ').nth(4).map(str::as_bytes) == Some(name.as_slice()))
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
    /// What repairs that were killed have not told.
    untold: Untold,
}

impl Swap {
    /// Refuses what lies there and is not of a repair; removes what one has left.
    fn beside(hot: PathBuf) -> Result<Self> {
        let (new, whole) = (named(&hot, ".new"), named(&hot, ".whole"));
        for path in [&new, &whole] {
            match fs::symlink_metadata(path) {
                Err(_) => continue,
                // Nothing that is linked to is ours.
                Ok(found) if !found.is_dir() => return Err(FolderError::InTheWay { path: path.clone() }),
                Ok(_) => {}
            }
            match note::read(path, &hot).map_err(FolderError::io("look at", path))? {
                None if note::is_bare(path) => note::remove_folder(path),
                None => return Err(FolderError::InTheWay { path: path.clone() }),
                // The old one is in its place.
                Some(Note::New) => note::remove_folder(path),
                Some(Note::Untold(_) | Note::Told) => fs::rename(path, free_name(&hot)),
            }
            .map_err(FolderError::io("put away", path))?;
        }
        let untold = Untold::beside(&hot)?;
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
        self.try_exchange()?;
        // A disk that it has filled stays full otherwise.
        self.write(store, aside).inspect_err(|_| self.clear())
    }

    /// Before hours of copying.
    fn try_exchange(&self) -> Result<()> {
        let both = [&self.new, &self.whole];
        let made =
            both.iter().try_for_each(|path| fs::create_dir(path).map_err(FolderError::io("make", path)));
        let exchanged =
            made.and_then(|()| exchange(&self.new, &self.whole).map_err(FolderError::port(&self.hot)));
        for path in both {
            let _ = fs::remove_dir(path);
        }
        exchanged
    }

    /// Removes what was written for nothing.
    fn clear(&self) {
        for path in [&self.new, &self.whole] {
            if matches!(note::read(path, &self.hot), Ok(Some(Note::New))) || note::is_bare(path) {
                let _ = note::remove_folder(path);
            }
        }
        note::forget(&self.hot);
    }

    fn write(&self, store: &Path, aside: &Aside) -> Result<Repaired> {
        let port = FolderError::port(store);
        let Rescued { blocks, bytes, lost, gaps, .. } = self.copy()?;
        let (cut, kept) = (aside.cut.clone(), aside.path.clone());
        let mut repaired = Repaired { blocks, bytes, lost, gaps, cut, kept, untold: Vec::new() };
        like(&self.hot, &self.new).map_err(FolderError::io("give its owner", &self.new))?;
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
        note::end(&self.hot, &self.hot, &losses).map_err(FolderError::io("write a note into", &self.hot))?;
        exchange(&self.hot, &self.whole).map_err(FolderError::port(&self.hot))?;
        // From here on all is done: what is left costs room, and the next repair puts it away.
        let _ = fs::remove_file(self.hot.join(note::NAME));
        if note::end(&repaired.kept, &self.hot, &losses).is_ok() {
            let _ = note::remove_folder(&self.whole);
        }
        self.untold.add_to(repaired);
        repaired.untold = [&[repaired.kept.clone(), self.whole.clone()], self.untold.folders()].concat();
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

/// Gives a folder and its files the owner of another, and its mode: the node may not be who repairs.
fn like(old: &Path, new: &Path) -> std::io::Result<()> {
    let old = fs::metadata(old)?;
    let own = |path: &Path| {
        let is = fs::metadata(path)?;
        let same = (is.uid(), is.gid()) == (old.uid(), old.gid());
        if same { Ok(()) } else { chown(path, Some(old.uid()), Some(old.gid())) }
    };
    for entry in fs::read_dir(new)? {
        own(&entry?.path())?;
    }
    own(new)?;
    fs::set_permissions(new, old.permissions())
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
        let mounts = "36 35 98:0 /a /data/my\\040store/hot rw,noatime shared:1 - ext4 /dev/sda1 rw";
        assert!(is_mount(mounts, Path::new("/data/my store/hot")));
        assert!(!is_mount(mounts, Path::new("/data/my store")));
    }
}
