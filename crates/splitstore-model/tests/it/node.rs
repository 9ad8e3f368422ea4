//! A node with one tipset and two blocks of garbage, `parent` over `child`, which a run would delete.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use splitstore_domain::object::DAG_CBOR;
use splitstore_domain::{
    BlockKey, ColdPolicy, Epoch, HeaderView, Phase, Policy, PurgeStrategy, Settings, Tipset, TipsetKey,
    digest,
};
use splitstore_memory::{MemoryClock, MemoryFiles, MemoryMeta};
use splitstore_model::{
    Components, MarkSets, MissingReferences, Options, Run, SplitStore, Step, Support, Trigger,
};
use splitstore_ports::cid::Cid;
use splitstore_ports::{
    Block, BlockRead, BlockWrite, ChainAccessor, ErrorKind, HeadListener, PortError, Result,
};

use crate::sets::Sets;
use crate::shelf::Shelf;

/// A block.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) cid: Cid,
    data: Vec<u8>,
}

impl Made {
    pub(crate) fn block(&self) -> Block<'_> {
        Block { cid: self.cid, data: &self.data }
    }
}

/// What one interleaving works on.
pub(crate) struct Node {
    pub(crate) store: SplitStore,
    pub(crate) hot: Arc<Shelf>,
    pub(crate) parent: Made,
    pub(crate) child: Made,
}

impl Node {
    /// A node whose store treats garbage so.
    pub(crate) fn new(cold: ColdPolicy) -> Self {
        Self::purging(cold, PurgeStrategy::Delete)
    }

    /// The same with purges of this kind.
    pub(crate) fn purging(cold: ColdPolicy, purge: PurgeStrategy) -> Self {
        let hot = Arc::new(Shelf::default());
        let state = list(1, &[]);
        let header = list(2, &[state.cid]);
        let child = list(3, &[]);
        let parent = list(4, &[child.cid]);
        for made in [&state, &header, &child, &parent] {
            hot.put_many(&[made.block()]).unwrap();
        }
        let store = open(hot.clone(), cold, purge);
        store.start(Arc::new(Chain { header: header.cid, state: state.cid })).unwrap();
        Self { store, hot, parent, child }
    }

    /// A new block above `child`.
    pub(crate) fn above_child(&self) -> Made {
        list(5, &[self.child.cid])
    }

    /// A new block above that one.
    pub(crate) fn above(made: &Made) -> Made {
        list(6, &[made.cid])
    }

    /// Both are there, for readers and behind them.
    pub(crate) fn has_whole(&self, top: &Made) -> bool {
        [top, &self.child].iter().all(|made| self.hot.holds(&made.cid) && self.store.has(&made.cid).unwrap())
    }
}

fn open(hot: Arc<Shelf>, cold: ColdPolicy, purge: PurgeStrategy) -> SplitStore {
    let support = Support {
        meta: Arc::new(MemoryMeta::new()),
        files: Arc::new(MemoryFiles::with_folder(Path::new("store")).unwrap()),
        clock: Arc::new(MemoryClock::new()),
        marks: MarkSets::Exact(Arc::new(Sets)),
    };
    let policy = Policy::new(Settings { cold_policy: cold, ..Settings::default() }).unwrap();
    let options = Options {
        trigger: Trigger::Manual,
        missing: MissingReferences::Skip,
        purge,
        ..Options::new(policy, "store")
    };
    SplitStore::open(Components::new(hot, Arc::new(Shelf::default()), support), options).unwrap()
}

/// Steps until the run has come to this phase.
pub(crate) fn step_to(run: &mut Run<'_>, phase: Phase) {
    while run.phase() != phase {
        step(run);
    }
}

/// Steps to the end.
pub(crate) fn finish(mut run: Run<'_>) {
    while !matches!(step(&mut run), Step::Finished(_)) {}
}

/// One step; one that waits for a walk lets the others go on.
fn step(run: &mut Run<'_>) -> Step {
    let step = run.step().unwrap();
    if matches!(step, Step::Waiting(..)) {
        loom::thread::yield_now();
    }
    step
}

/// A DAG-CBOR list of a number and links.
fn list(number: u8, links: &[Cid]) -> Made {
    let mut data = vec![0x81 + u8::try_from(links.len()).unwrap(), number];
    for link in links {
        let bytes = link.to_bytes();
        data.extend([0xd8, 0x2a, 0x58, u8::try_from(bytes.len() + 1).unwrap(), 0]);
        data.extend(bytes);
    }
    let mut multihash = vec![0xa0, 0xe4, 0x02, 0x20];
    multihash.extend(digest::blake2b_256(&data));
    Made { cid: BlockKey::from_bytes(&multihash).unwrap().to_cid(DAG_CBOR), data }
}

/// A chain that is its genesis.
struct Chain {
    header: Cid,
    state: Cid,
}

impl Chain {
    fn genesis(&self) -> Tipset {
        let key = TipsetKey::new(vec![self.header]);
        Tipset { key, height: Epoch::GENESIS, timestamp: 0, parents: TipsetKey::new(Vec::new()) }
    }
}

impl ChainAccessor for Chain {
    fn heaviest(&self) -> Result<Option<Tipset>> {
        Ok(Some(self.genesis()))
    }

    fn tipset(&self, key: &TipsetKey) -> Result<Option<Tipset>> {
        Ok(Some(self.genesis()).filter(|genesis| genesis.key == *key))
    }

    fn tipset_at(&self, _height: Epoch, _from: &Tipset) -> Result<Option<Tipset>> {
        Ok(Some(self.genesis()))
    }

    fn header(&self, cid: &Cid, _data: &[u8]) -> Result<HeaderView> {
        let headers = BTreeMap::from([(self.header, self.state)]);
        let Some(state) = headers.get(cid) else {
            return Err(PortError::bare(ErrorKind::Corrupt, format!("read {cid} as a header")));
        };
        Ok(HeaderView {
            height: Epoch::GENESIS,
            timestamp: 0,
            parents: TipsetKey::new(Vec::new()),
            messages: *state,
            receipts: *state,
            state: *state,
        })
    }

    fn key_object(&self, _key: &TipsetKey) -> Option<Cid> {
        None
    }

    fn subscribe(&self, _listener: Arc<dyn HeadListener>) -> Result<()> {
        Ok(())
    }
}
