//! Files in memory that forget what was not synced: stricter than any disk, so that every crash can be played.
//!
//! ```text
//!   live       what callers see                        data: written      names: created, renamed, removed
//!   durable    what a crash leaves for certain         data: synced       names: at the last sync_dir
//!   reboot     for each unsynced name and each unsynced tail, the seed says whether it was lost
//! ```
//! A rename that was not synced may leave both names, one, or none. The power can fail at the n-th operation, and any
//! operation can be made to fail with any error.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::ReadAt;
use crate::files::{FileEntry, FileSystem, FileWrite, Scratch};

/// Files in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryFiles {
    disk: Arc<Mutex<Disk>>,
}

type Shared = Arc<Mutex<Contents>>;

#[derive(Debug, Default)]
struct Contents {
    data: Vec<u8>,
    synced: usize,
}

#[derive(Debug, Default)]
struct Disk {
    live: BTreeMap<PathBuf, Shared>,
    durable: BTreeMap<PathBuf, Shared>,
    operations: u64,
    power_until: Option<u64>,
    fault: Option<(u64, io::ErrorKind)>,
    free: Option<u64>,
}

struct Reading(Shared);

struct Writing {
    files: MemoryFiles,
    contents: Shared,
}

impl MemoryFiles {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// Operations so far that change something.
    pub fn operations(&self) -> u64 {
        self.disk.lock().operations
    }

    /// The power fails when `operations` have been done: that many succeed, all others fail.
    pub fn power_fails_after(&self, operations: u64) {
        self.disk.lock().power_until = Some(operations);
    }

    /// The operation after `operations` fails with this error, once.
    pub fn fail_after(&self, operations: u64, kind: io::ErrorKind) {
        self.disk.lock().fault = Some((operations, kind));
    }

    /// How much free space it claims; it takes any amount nevertheless.
    pub fn set_free_space(&self, free: Option<u64>) {
        self.disk.lock().free = free;
    }

    /// What a machine finds after a power cut; the seed says what of the unsynced is lost.
    pub fn reboot(&self, seed: u64) -> Self {
        let disk = self.disk.lock();
        let mut dice = Dice(seed);
        let paths: BTreeSet<_> = disk.live.keys().chain(disk.durable.keys()).collect();
        let mut kept = BTreeMap::new();
        for path in paths {
            let (live, durable) = (disk.live.get(path), disk.durable.get(path));
            let same = live.zip(durable).is_some_and(|(a, b)| Arc::ptr_eq(a, b));
            let found = if same || dice.heads() { live } else { durable };
            if let Some(contents) = found {
                kept.insert(path.clone(), after_cut(&contents.lock(), &mut dice));
            }
        }
        let disk = Disk { live: kept.clone(), durable: kept, free: disk.free, ..Disk::default() };
        Self { disk: Arc::new(Mutex::new(disk)) }
    }

    /// The bytes of a file; for tests that damage it.
    pub fn read(&self, path: &Path) -> Option<Vec<u8>> {
        self.disk.lock().live.get(path).map(|contents| contents.lock().data.clone())
    }

    /// Replaces the bytes of a file, durably; for tests that damage it.
    pub fn overwrite(&self, path: &Path, data: Vec<u8>) {
        let contents = Arc::new(Mutex::new(Contents { synced: data.len(), data }));
        let mut disk = self.disk.lock();
        disk.live.insert(path.into(), Arc::clone(&contents));
        disk.durable.insert(path.into(), contents);
    }

    /// One operation that changes something, if nothing is in its way.
    fn operation(&self) -> io::Result<()> {
        let mut disk = self.disk.lock();
        let at = disk.operations;
        if disk.power_until.is_some_and(|until| at >= until) {
            return Err(io::Error::other("the power is off"));
        }
        disk.operations += 1;
        match disk.fault {
            Some((fault, kind)) if fault == at => {
                disk.fault = None;
                Err(kind.into())
            }
            _ => Ok(()),
        }
    }
}

fn after_cut(contents: &Contents, dice: &mut Dice) -> Shared {
    let tail = contents.data.len() - contents.synced;
    let lost = if tail == 0 { 0 } else { usize::try_from(dice.roll() % (tail as u64 + 1)).unwrap_or(tail) };
    let data = contents.data[..contents.data.len() - lost].to_vec();
    Arc::new(Mutex::new(Contents { synced: data.len(), data }))
}

/// `SplitMix64`: enough chance to lose names by.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn heads(&mut self) -> bool {
        self.roll() & 1 == 0
    }
}

impl FileSystem for MemoryFiles {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn FileWrite>> {
        self.operation()?;
        let mut disk = self.disk.lock();
        if disk.live.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let contents = Shared::default();
        disk.live.insert(path.into(), Arc::clone(&contents));
        Ok(Box::new(Writing { files: self.clone(), contents }))
    }

    fn open(&self, path: &Path) -> io::Result<Option<Box<dyn ReadAt>>> {
        let found = self.disk.lock().live.get(path).cloned();
        Ok(found.map(|contents| Box::new(Reading(contents)) as Box<dyn ReadAt>))
    }

    fn scratch(&self, _path: &Path) -> io::Result<Box<dyn Scratch>> {
        self.operation()?;
        Ok(Box::new(Cursor::new(Vec::new())))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.operation()?;
        let mut disk = self.disk.lock();
        let contents = disk.live.remove(from).ok_or(io::ErrorKind::NotFound)?;
        disk.live.insert(to.into(), contents);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.operation()?;
        let mut disk = self.disk.lock();
        disk.live.remove(path);
        Ok(())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<FileEntry>> {
        let disk = self.disk.lock();
        let inside = disk.live.iter().filter(|(path, _)| path.parent() == Some(folder));
        Ok(inside
            .filter_map(|(path, contents)| {
                let name = path.file_name()?.to_str()?.to_string();
                Some(FileEntry { name, bytes: contents.lock().data.len() as u64 })
            })
            .collect())
    }

    fn sync_dir(&self, folder: &Path) -> io::Result<()> {
        self.operation()?;
        let mut disk = self.disk.lock();
        let Disk { live, durable, .. } = &mut *disk;
        let inside = |path: &PathBuf| path.parent() == Some(folder);
        durable.retain(|path, _| !inside(path));
        durable
            .extend(live.iter().filter(|(path, _)| inside(path)).map(|(path, c)| (path.clone(), c.clone())));
        Ok(())
    }

    fn free_space(&self, _folder: &Path) -> io::Result<Option<u64>> {
        Ok(self.disk.lock().free)
    }
}

impl ReadAt for Reading {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.lock().data.read_at(buf, offset)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().data.len() as u64)
    }
}

impl Write for Writing {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.files.operation()?;
        self.contents.lock().data.extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl FileWrite for Writing {
    fn sync(&mut self) -> io::Result<()> {
        self.files.operation()?;
        let mut contents = self.contents.lock();
        contents.synced = contents.data.len();
        Ok(())
    }
}
