//! Bit rot: one flipped bit at a random place of a tier's files, then every block is read through the store.
//!
//! ```text
//!   once        blocks into hot's tables and into cold's file, store closed
//!   per flip    flip -> open -> read all -> close -> files as they were
//! ```
//! Places are bytes that are not zero: a redb file is mostly room.

use std::fmt;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use multihash_codetable::{Code, MultihashDigest};
use splitstore::Trigger;
use splitstore::folder::{FolderSettings, Opening, StoreFolder};
use splitstore::ports::cid::Cid;
use splitstore::ports::{Block, BlockRead, BlockWrite, Interrupt, ReclaimMode};

use crate::Dice;

const RAW: u64 = 0x55;
/// Blocks in each tier.
pub const BLOCKS: u64 = 1000;

/// A tier whose files are damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// RocksDB's tables.
    Hot,
    /// redb's file.
    Cold,
}

/// What came of all flips in one tier.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rot {
    /// Flips.
    pub flips: u64,
    /// Wrong bytes that were served.
    pub wrong: u64,
    /// Flips after which the store said at open that it is damaged.
    pub refused: u64,
    /// Flips that no read noticed: padding, room, or what is read only on other occasions.
    pub unnoticed: u64,
    /// Flips that made exactly one block unreadable.
    pub one: u64,
    /// Flips that made more than one block unreadable.
    pub more: u64,
    /// The most blocks that one flip made unreadable, the store being open.
    pub most: u64,
    /// Blocks, over all flips, that were reported as not there.
    pub absent: u64,
    /// Flips after which some block was reported as not there.
    pub hiding: u64,
    /// Blocks, over all flips, that were served out of a damaged page.
    pub salvaged: u64,
}

/// A store to damage, and what is in it.
pub struct Victim {
    store: PathBuf,
    blocks: Vec<(Cid, Vec<u8>)>,
    dice: Dice,
}

impl Victim {
    /// A store in `folder` with a thousand blocks of 32 to 2,000 bytes in each tier.
    pub fn new(folder: &Path, seed: u64) -> Result<Self> {
        let mut dice = Dice::new(seed, 0x72_6f74);
        let blocks: Vec<_> = (0..2 * BLOCKS).map(|_| block(&mut dice)).collect();
        let store = folder.join("store");
        StoreFolder::create(&store, &FolderSettings::default())?;
        let open = open(&store)?;
        let halves: Vec<Block<'_>> = blocks.iter().map(|(cid, data)| Block { cid: *cid, data }).collect();
        let (hot, cold) = halves.split_at(usize::try_from(BLOCKS)?);
        open.store().put_many(hot)?;
        open.cold().put_many(cold)?;
        let maintenance = open.hot().maintenance().context("hot can be maintained")?;
        maintenance.reclaim(ReclaimMode::Full, &Interrupt::new())?;
        open.close()?;
        Ok(Self { store, blocks, dice })
    }

    /// Flips a bit so many times, one at a time.
    pub fn rot(&mut self, tier: Tier, flips: u64) -> Result<Rot> {
        let mut rot = Rot::default();
        let files = self.files(tier)?;
        for _ in 0..flips {
            let (file, at, bit) = self.place(&files)?;
            let saved = Saved::of(&self.store)?;
            flip(&file, at, bit)?;
            self.look(&mut rot);
            saved.restore()?;
        }
        Ok(rot)
    }

    fn files(&self, tier: Tier) -> Result<Vec<PathBuf>> {
        let (folder, extension) = match tier {
            Tier::Hot => ("hot", "sst"),
            Tier::Cold => ("cold", "redb"),
        };
        let mut files = Vec::new();
        for entry in fs::read_dir(self.store.join(folder))? {
            let path = entry?.path();
            if path.extension().is_some_and(|is| is == extension) {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }

    fn place(&mut self, files: &[PathBuf]) -> Result<(PathBuf, u64, u8)> {
        let file = self.dice.pick(files).context("the tier has files")?.clone();
        let bytes = fs::read(&file)?;
        let used: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
        let at = *self.dice.pick(&used).context("the file has bytes")?;
        let bit = u8::try_from(self.dice.below(8))?;
        Ok((file, at as u64, bit))
    }

    /// Opens the damaged store and reads everything.
    fn look(&self, rot: &mut Rot) {
        rot.flips += 1;
        let Ok(open) = open(&self.store) else {
            rot.refused += 1;
            return;
        };
        let (mut damaged, mut absent) = (0, 0);
        for (cid, data) in &self.blocks {
            let mut same = true;
            match open.store().view(cid, &mut |read| same = read == data.as_slice()) {
                Ok(true) => rot.wrong += u64::from(!same),
                Ok(false) => absent += 1,
                Err(_) => damaged += 1,
            }
        }
        let unreadable = damaged + absent;
        rot.salvaged += open.store().info().map_or(0, |info| info.salvaged);
        rot.unnoticed += u64::from(unreadable == 0);
        rot.one += u64::from(unreadable == 1);
        rot.more += u64::from(unreadable > 1);
        rot.most = rot.most.max(unreadable);
        rot.absent += absent;
        rot.hiding += u64::from(absent > 0);
    }
}

/// The files of a store as they were.
struct Saved(Vec<(PathBuf, Vec<u8>)>);

impl Saved {
    fn of(store: &Path) -> Result<Self> {
        let mut files = Vec::new();
        for folder in [store.to_owned(), store.join("hot"), store.join("cold")] {
            for entry in fs::read_dir(&folder)? {
                let path = entry?.path();
                if path.is_file() {
                    files.push((path.clone(), fs::read(path)?));
                }
            }
        }
        Ok(Self(files))
    }

    fn restore(&self) -> Result<()> {
        let folders: Vec<&Path> = self.0.iter().filter_map(|(path, _)| path.parent()).collect();
        for folder in folders {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_file() && !self.0.iter().any(|(kept, _)| *kept == path) {
                    fs::remove_file(path)?;
                }
            }
        }
        self.0.iter().try_for_each(|(path, bytes)| fs::write(path, bytes))?;
        Ok(())
    }
}

fn open(store: &Path) -> Result<StoreFolder> {
    let opening = Opening { trigger: Trigger::Manual, ..Opening::default() };
    StoreFolder::open_with(store, &opening).context("open the store")
}

fn block(dice: &mut Dice) -> (Cid, Vec<u8>) {
    let len = 32 + dice.below(dice.clone().below(1969));
    let data: Vec<u8> = (0..len).map(|_| dice.word().to_le_bytes()[7]).collect();
    (Cid::new_v1(RAW, Code::Blake2b256.digest(&data)), data)
}

fn flip(file: &Path, at: u64, bit: u8) -> Result<()> {
    let file = fs::OpenOptions::new().read(true).write(true).open(file)?;
    let mut byte = [0];
    file.read_exact_at(&mut byte, at)?;
    file.write_all_at(&[byte[0] ^ (1 << bit)], at)?;
    Ok(())
}

impl fmt::Display for Rot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, count) in [
            ("flips", self.flips),
            ("wrong bytes served", self.wrong),
            ("store refused to open", self.refused),
            ("noticed by no read", self.unnoticed),
            ("one block unreadable", self.one),
            ("more than one", self.more),
            ("most blocks at once", self.most),
            ("said not to be there", self.absent),
            ("flips that hid a block", self.hiding),
            ("served out of bad pages", self.salvaged),
        ] {
            writeln!(f, "  {name:<24} {count:>8}")?;
        }
        Ok(())
    }
}
