//! One machine: both tiers, our files, the meta cells; what a power cut leaves of them, and a picture of the whole.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use cid::Cid;
use splitstore_domain::BlockKey;
use splitstore_memory::{Kept, MemoryCold, MemoryFiles, MemoryMeta, MemoryStore};
use splitstore_ports::{BlockReadExt, FileSystem, KeyScan, MetaCell, MetaStore};

use crate::dice::Dice;

/// The folder of the store.
pub(crate) const FOLDER: &str = "store";

/// What a process finds when it starts.
pub(crate) struct Machine {
    pub(crate) hot: MemoryStore,
    pub(crate) cold: MemoryCold,
    pub(crate) files: MemoryFiles,
    pub(crate) meta: MemoryMeta,
}

/// Everything that a process can read of a machine.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    hot: BTreeMap<BlockKey, Vec<u8>>,
    cold: BTreeMap<BlockKey, Vec<u8>>,
    files: BTreeMap<PathBuf, Vec<u8>>,
    meta: Vec<Option<Vec<u8>>>,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            hot: MemoryStore::hot(),
            cold: MemoryStore::cold(),
            files: MemoryFiles::with_folder(Path::new(FOLDER)).expect("an empty disk takes a folder"),
            meta: MemoryMeta::new(),
        }
    }
}

impl Machine {
    pub(crate) fn fork(&self) -> Self {
        let Self { hot, cold, files, meta } = self;
        Self { hot: hot.fork(), cold: cold.fork(), files: files.fork(), meta: meta.fork() }
    }

    /// The power fails, or only the process dies; says what was kept.
    pub(crate) fn crash(&self, dice: &mut Dice) -> (&'static str, String) {
        let files = [Fate::Nothing, Fate::Names, Fate::Data, Fate::Tail, Fate::Zeros, Fate::Mixed];
        self.crash_with(files.get(dice.below(8)).copied().unwrap_or(Fate::All), dice)
    }

    /// The same after a sync that failed: often what it was for got out all the same, and what was done to names since did
    /// not.
    pub(crate) fn crash_shaken(&self, dice: &mut Dice) -> (&'static str, String) {
        if dice.percent(50) { self.crash_with(Fate::Data, dice) } else { self.crash(dice) }
    }

    fn crash_with(&self, fate: Fate, dice: &mut Dice) -> (&'static str, String) {
        let (mut hot, mut cold) = (self.hot.unsynced_calls(), self.cold.store().unsynced_calls());
        if fate != Fate::All {
            hot = some_of(hot, dice);
            cold = some_of(cold, dice);
        }
        self.hot.crash_keeping(hot);
        self.cold.store().crash_keeping(cold);
        let one = fate.draw(dice);
        self.files.crash_choosing(|| if fate == Fate::Mixed { Fate::any(dice) } else { one });
        (fate.name(), format!("of files {}, {hot} calls of hot, {cold} of cold", fate.name()))
    }

    pub(crate) fn picture(&self) -> Picture {
        let cells = [
            MetaCell::BaseEpoch,
            MetaCell::CompactionIndex,
            MetaCell::MarkSetSize,
            MetaCell::SnapshotHeight,
            MetaCell::Head,
            MetaCell::ColdLacks,
        ];
        let mut files = BTreeMap::new();
        self.collect_files(Path::new(FOLDER), &mut files);
        Picture {
            hot: blocks(&self.hot),
            cold: blocks(self.cold.store()),
            files,
            meta: cells.map(|cell| self.meta.get(cell).expect("memory reads")).to_vec(),
        }
    }

    fn collect_files(&self, at: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
        let Ok(names) = self.files.list(at) else {
            let mut data = Vec::new();
            if let Ok(Some(mut file)) = self.files.open(at) {
                file.read_to_end(&mut data).expect("memory reads");
            }
            found.insert(at.to_owned(), data);
            return;
        };
        for name in names {
            self.collect_files(&at.join(name), found);
        }
    }
}

impl Picture {
    /// A block that hot had here, and has not there.
    pub(crate) fn hot_lacks_of(&self, later: &Self) -> Option<&BlockKey> {
        self.hot.keys().find(|key| !later.hot.contains_key(*key))
    }

    /// The first thing in which two machines differ.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        let tiers = [("hot", &self.hot, &other.hot), ("cold", &self.cold, &other.cold)];
        for (name, mine, theirs) in tiers {
            let differs = |key: &&BlockKey| mine.get(*key) != theirs.get(*key);
            if let Some(key) = mine.keys().chain(theirs.keys()).find(differs) {
                return Some(format!("{name} at {key}"));
            }
        }
        if self.files != other.files {
            return Some(format!("files {:?} and {:?}", self.files.keys(), other.files.keys()));
        }
        (self.meta != other.meta).then(|| format!("cells {:?} and {:?}", self.meta, other.meta))
    }
}

fn blocks(store: &MemoryStore) -> BTreeMap<BlockKey, Vec<u8>> {
    let mut entries = Vec::new();
    store.keys().and_then(|mut keys| keys.next_batch(&mut entries, usize::MAX)).expect("memory scans");
    let data = |cid: &Cid| store.get(cid).expect("memory reads").expect("the scan saw it");
    entries.into_iter().map(|entry| (entry.key.clone(), data(&entry.cid()))).collect()
}

/// A prefix of these calls: often none or all.
fn some_of(calls: usize, dice: &mut Dice) -> usize {
    match dice.below(3) {
        0 => 0,
        1 => calls,
        _ => dice.below(calls + 1),
    }
}

/// What becomes of unsynced files and names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Nothing,
    Names,
    Data,
    Tail,
    Zeros,
    /// Each file and folder fares differently.
    Mixed,
    /// Only the process died.
    All,
}

impl Fate {
    fn any(dice: &mut Dice) -> Kept {
        let fates = [Self::Nothing, Self::Names, Self::Data, Self::Tail, Self::Zeros, Self::All];
        fates[dice.below(fates.len())].draw(dice)
    }

    fn draw(self, dice: &mut Dice) -> Kept {
        match self {
            Self::Nothing | Self::Mixed => Kept::Nothing,
            Self::Names => Kept::Names,
            Self::Data => Kept::Data,
            Self::Tail => Kept::Tail(dice.below(40)),
            Self::Zeros => Kept::Zeros(dice.below(40)),
            Self::All => Kept::Tail(usize::MAX),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Names => "names",
            Self::Data => "data",
            Self::Tail => "a torn tail",
            Self::Zeros => "zeros for a tail",
            Self::Mixed => "some",
            Self::All => "all",
        }
    }
}
