//! A folder with a cold store in it, and the blocks of these tests.

use std::fs;
use std::path::PathBuf;

use cid::Cid;
use splitstore_ports::domain::ByteCount;
use splitstore_ports::{Block, BlockReadExt, BlockWrite, Result};
use splitstore_redb::{RedbCold, RedbOptions};
use tempfile::TempDir;

/// A named block.
pub(crate) type Named = (Cid, Vec<u8>);

/// Little memory, so that tests read the file.
pub(crate) fn options() -> RedbOptions {
    RedbOptions::default().with_cache(ByteCount(4 << 20))
}

/// A folder of one test.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The path of a file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The path of its cold store.
    pub(crate) fn cold(&self) -> PathBuf {
        self.file("cold.redb")
    }

    pub(crate) fn open(&self) -> Result<RedbCold> {
        RedbCold::open(self.cold(), options())
    }

    /// A store that held these blocks, closed.
    pub(crate) fn with(blocks: &[Named]) -> Self {
        let place = Self::new();
        put(&place.open().unwrap(), blocks);
        place
    }

    /// Flips one bit of the byte `at`.
    pub(crate) fn flip(&self, at: usize, bit: u32) {
        let mut bytes = fs::read(self.cold()).unwrap();
        bytes[at] ^= 1 << bit;
        fs::write(self.cold(), bytes).unwrap();
    }

    /// Where these bytes lie in the file; a tree copied on write may hold them more than once.
    pub(crate) fn find(&self, bytes: &[u8]) -> Vec<usize> {
        let file = fs::read(self.cold()).unwrap();
        let starts = file.windows(bytes.len()).enumerate();
        starts.filter(|(_, window)| *window == bytes).map(|(at, _)| at).collect()
    }

    /// The names in the folder, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

pub(crate) fn put(store: &RedbCold, blocks: &[Named]) {
    let blocks: Vec<Block<'_>> = blocks.iter().map(|(cid, data)| Block { cid: *cid, data }).collect();
    store.put_many(&blocks).unwrap();
}

pub(crate) fn assert_holds(store: &RedbCold, blocks: &[Named]) {
    for (cid, data) in blocks {
        assert_eq!(store.get(cid).unwrap().as_ref(), Some(data), "{cid}");
    }
}
