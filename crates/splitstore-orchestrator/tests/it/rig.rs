//! A store on adapters that a test can look behind.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use splitstore_domain::{
    BlockKey, ByteCount, ColdPolicy, Epoch, HeadChange, Pacing, Policy, PurgeStrategy, Settings, SyncPolicy,
    Tipset, TipsetKey,
};
use splitstore_filecoin::FilecoinChain;
use splitstore_fixtures::oracle::Blocks;
use splitstore_marksets::ExactSets;
use splitstore_memory::{Failing, MemoryClock, MemoryCold, MemoryFiles, MemoryMeta, MemoryStore};
use splitstore_orchestrator::{
    Batches, Components, ExactFactory, MarkSets, MarkStrategy, MissingReferences, Options, Result, Run,
    SplitStore, Step, Support, Trigger,
};
use splitstore_ports::cid::Cid;
use splitstore_ports::{
    Block, BlockWrite, ChainAccessor, HotStore, KeyScan, MetaCell, MetaStore, NoObserver, Observer,
};

use crate::passing::{Asking, Passes, Passing};

/// Everything that outlives a store.
pub(crate) struct Rig {
    pub(crate) hot: Arc<Failing<MemoryStore>>,
    pub(crate) cold: Arc<Failing<MemoryCold>>,
    pub(crate) meta: MemoryMeta,
    pub(crate) files: MemoryFiles,
    pub(crate) clock: MemoryClock,
    pub(crate) settings: Settings,
    pub(crate) marks: MarkSets,
    /// Where marks go when memory will not do.
    pub(crate) spill: Option<Arc<dyn ExactFactory>>,
    /// Headers of the tipset that `open` starts the chain at.
    pub(crate) head: Vec<Cid>,
    pub(crate) sync: SyncPolicy,
    pub(crate) pressure: Option<ByteCount>,
    pub(crate) missing: MissingReferences,
    pub(crate) mode: Mode,
    pub(crate) batches: Batches,
    /// Blocks that a run compares with the link index.
    pub(crate) samples: u32,
    pub(crate) memory: Option<ByteCount>,
    pub(crate) close_within: Duration,
    pub(crate) pacing: Pacing,
    pub(crate) purge: PurgeStrategy,
    /// Keys that a rewrite of hot passes over.
    pub(crate) passes: Option<(Passes, Asking)>,
}

pub(crate) const FOLDER: &str = "store";

/// How runs mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mode {
    pub(crate) strategy: MarkStrategy,
    pub(crate) id_bits: u32,
}

impl Default for Mode {
    fn default() -> Self {
        Self { strategy: MarkStrategy::Auto, id_bits: 63 }
    }
}

/// The walk, and scans from one in which hardly any keys collide to one in which all do, which a link index may keep.
pub(crate) const MODES: [Mode; 7] = [
    Mode { strategy: MarkStrategy::Walk, id_bits: 63 },
    Mode { strategy: MarkStrategy::Scan, id_bits: 63 },
    Mode { strategy: MarkStrategy::Scan, id_bits: 16 },
    Mode { strategy: MarkStrategy::Scan, id_bits: 8 },
    Mode { strategy: MarkStrategy::Links, id_bits: 63 },
    Mode { strategy: MarkStrategy::Links, id_bits: 16 },
    Mode { strategy: MarkStrategy::Links, id_bits: 8 },
];

impl Rig {
    /// An empty store with a finality of `finality` epochs, threshold 5 and boundary 4.
    pub(crate) fn new(finality: u64, cold_policy: ColdPolicy) -> Self {
        Self {
            hot: Arc::new(Failing::new(MemoryStore::hot())),
            cold: Arc::new(Failing::new(MemoryStore::cold())),
            meta: MemoryMeta::new(),
            files: MemoryFiles::with_folder(Path::new(FOLDER)).unwrap(),
            clock: MemoryClock::new(),
            settings: Settings { finality_epochs: finality, cold_policy, ..Settings::default() },
            marks: MarkSets::Exact(Arc::new(ExactSets)),
            spill: None,
            head: Vec::new(),
            sync: SyncPolicy::Ignore,
            pressure: None,
            missing: MissingReferences::Skip,
            mode: Mode::default(),
            batches: Batches::default(),
            samples: 256,
            memory: None,
            close_within: Duration::from_secs(5),
            pacing: Pacing::default(),
            purge: PurgeStrategy::Delete,
            passes: None,
        }
    }

    /// An empty store with the same settings, windows and sets that marks in this way.
    pub(crate) fn anew(&self, mode: Mode) -> Self {
        let empty = Self::new(self.settings.finality_epochs, self.settings.cold_policy);
        Self { settings: self.settings, marks: self.marks.clone(), batches: self.batches, mode, ..empty }
    }

    /// Puts blocks into hot, durably, and remembers the head.
    pub(crate) fn load<'a>(
        &mut self,
        blocks: impl IntoIterator<Item = (&'a Cid, &'a Vec<u8>)>,
        head: &[Cid],
    ) {
        for (cid, data) in blocks {
            self.hot.put_many(&[Block { cid: *cid, data }]).unwrap();
        }
        self.hot.sync().unwrap();
        self.head = head.to_vec();
    }

    /// Opens the store without a chain; runs start when asked for.
    pub(crate) fn open_bare(&self) -> Result<SplitStore> {
        self.open_with(Trigger::Manual, Arc::new(NoObserver))
    }

    /// Opens the store without a chain.
    pub(crate) fn open_with(&self, trigger: Trigger, observer: Arc<dyn Observer>) -> Result<SplitStore> {
        let support = Support {
            meta: Arc::new(self.meta.clone()),
            files: Arc::new(self.files.clone()),
            clock: Arc::new(self.clock.clone()),
            marks: self.marks.clone(),
        };
        let hot: Arc<dyn HotStore> = match self.passes {
            Some((over, asking)) => Arc::new(Passing { inner: self.hot.clone(), over, asking }),
            None => self.hot.clone(),
        };
        let mut components = Components::new(hot, self.cold.clone(), support);
        components.observer = observer;
        components.spill.clone_from(&self.spill);
        let options = Options {
            trigger,
            sync: self.sync,
            pressure: self.pressure,
            missing: self.missing,
            strategy: self.mode.strategy,
            scan_id_bits: self.mode.id_bits,
            batches: self.batches,
            link_samples: self.samples,
            marking_memory: self.memory,
            close_within: self.close_within,
            pacing: self.pacing,
            purge: self.purge,
            ..Options::new(Policy::new(self.settings).unwrap(), FOLDER)
        };
        SplitStore::open(components, options)
    }

    /// Opens the store on its chain.
    pub(crate) fn open(&self) -> Result<(SplitStore, Arc<FilecoinChain>)> {
        let store = self.open_bare()?;
        let chain = chain_at(&store, &self.head);
        store.start(chain.clone())?;
        Ok((store, chain))
    }

    /// Makes genesis the base.
    pub(crate) fn forget_base(&self) {
        self.meta.set_many(&[(MetaCell::BaseEpoch, 0_u64.to_le_bytes().to_vec())]).unwrap();
    }

    /// Loses everything that was not synced, and heals what was made to fail.
    pub(crate) fn crash(&self) {
        self.hot.inner().crash();
        self.cold.inner().crash();
        self.files.crash();
        self.hot.heal();
        self.cold.heal();
    }

    pub(crate) fn hot_keys(&self) -> BTreeSet<BlockKey> {
        keys(&*self.hot)
    }

    pub(crate) fn cold_keys(&self) -> BTreeSet<BlockKey> {
        keys(&*self.cold)
    }
}

pub(crate) fn chain_at(store: &SplitStore, head: &[Cid]) -> Arc<FilecoinChain> {
    let chain = Arc::new(FilecoinChain::new(Arc::new(store.untracked())));
    if !head.is_empty() {
        let tipset = chain.tipset(&TipsetKey::new(head.to_vec())).unwrap().expect("the head is in the store");
        chain.set_head(&apply(tipset)).unwrap();
    }
    chain
}

pub(crate) fn apply(tipset: Tipset) -> HeadChange {
    HeadChange { revert: Vec::new(), apply: vec![tipset] }
}

pub(crate) fn keys(scan: &dyn KeyScan) -> BTreeSet<BlockKey> {
    let mut cursor = scan.keys().unwrap();
    let mut batch = Vec::new();
    let mut before = usize::MAX;
    while before != batch.len() {
        before = batch.len();
        cursor.next_batch(&mut batch, 100).unwrap();
    }
    batch.into_iter().map(|entry| entry.key).collect()
}

pub(crate) fn key_set<'a>(cids: impl IntoIterator<Item = &'a Cid>) -> BTreeSet<BlockKey> {
    cids.into_iter().map(BlockKey::from).collect()
}

/// A block under the CID that its data hashes to.
pub(crate) fn raw_block(data: &[u8]) -> (Cid, Vec<u8>) {
    (block_cid(splitstore_domain::object::RAW, data), data.to_vec())
}

/// The CID of data under a codec.
pub(crate) fn block_cid(codec: u64, data: &[u8]) -> Cid {
    let mut multihash = vec![0xa0, 0xe4, 0x02, 0x20];
    multihash.extend(splitstore_domain::digest::blake2b_256(data));
    BlockKey::from_bytes(&multihash).unwrap().to_cid(codec)
}

/// A DAG-CBOR list of links.
pub(crate) fn list_block(links: &[Cid]) -> (Cid, Vec<u8>) {
    let mut data = vec![0x80 | u8::try_from(links.len()).unwrap()];
    assert!(links.len() < 24, "one byte of header");
    for link in links {
        let bytes = link.to_bytes();
        data.extend([0xd8, 0x2a, 0x58, u8::try_from(bytes.len() + 1).unwrap(), 0]);
        data.extend(bytes);
    }
    (block_cid(splitstore_domain::object::DAG_CBOR, &data), data)
}

/// The blocks of a generated chain with its head, small enough for a debug run.
pub(crate) fn generated(epochs: u64, seed: u64) -> (Blocks, Vec<Cid>, Epoch) {
    let spec = splitstore_fixtures::ChainSpec {
        epochs,
        actors: 60,
        churn_per_mille: 100,
        seed,
        ..splitstore_fixtures::ChainSpec::default()
    };
    let mut blocks = Blocks::new();
    let made = splitstore_fixtures::generate(&spec, &mut |cid: &Cid, data: &[u8]| {
        blocks.insert(*cid, data.to_vec());
        Ok::<_, std::io::Error>(())
    });
    let made = made.unwrap();
    (blocks, made.head, Epoch::new(made.head_height))
}

/// A real archive, where there is one. With `CI=true` its absence fails.
pub(crate) fn real_archive(name: &str) -> Option<std::path::PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data = std::env::var_os("SPLITSTORE_DATA").map_or(beside, Into::into);
    let path = data.join("filecoin").join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "{name} is missing and CI wants it");
    println!("skipped: no real data");
    None
}

/// Steps until the phase of this name begins.
pub(crate) fn step_to(run: &mut Run<'_>, phase: &str) {
    while run.phase().name() != phase {
        run.step().unwrap();
    }
}

pub(crate) fn finish(mut run: Run<'_>) {
    while !matches!(run.step().unwrap(), Step::Finished(_)) {}
}
