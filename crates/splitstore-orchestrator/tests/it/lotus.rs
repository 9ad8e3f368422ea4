//! The scenario of Lotus' own unit test of compaction (threshold 5, boundary 2), with the same counts.
//!
//! Lotus warms up at start, which copies genesis and its parts from cold to hot; here the test puts them there,
//! as warm-up is another job. Everything else is as in `splitstore_test.go`: the headers' messages, receipts
//! and genesis state are one raw block, every tipset has a state of one raw block.

use std::sync::Arc;

use parking_lot::Mutex;
use splitstore_domain::trigger::Decision;
use splitstore_domain::{ColdPolicy, Epoch, HeadChange, HeaderView, Tipset, TipsetKey};
use splitstore_marksets::{BloomSets, DiskSets, ExactSets, RoaringSets};
use splitstore_orchestrator::{MarkSets, SplitStore};
use splitstore_ports::cid::Cid;
use splitstore_ports::{
    BlockRead, BlockWrite, BlockWriteExt, ChainAccessor, ErrorKind, HeadListener, PortError, Result,
};

use crate::rig::{Rig, block_cid, list_block, raw_block};
use crate::rig_disk::InFolder;

/// A chain of one block per height; a header is a list block whose number of links gives nothing away, so the
/// chain remembers what each means.
#[derive(Default)]
struct MockChain {
    tipsets: Mutex<Vec<(Tipset, HeaderView)>>,
}

impl ChainAccessor for MockChain {
    fn heaviest(&self) -> Result<Option<Tipset>> {
        Ok(self.tipsets.lock().last().map(|(tipset, _)| tipset.clone()))
    }

    fn tipset(&self, key: &TipsetKey) -> Result<Option<Tipset>> {
        Ok(self.tipsets.lock().iter().map(|(tipset, _)| tipset).find(|tipset| tipset.key == *key).cloned())
    }

    fn tipset_at(&self, height: Epoch, from: &Tipset) -> Result<Option<Tipset>> {
        let tipsets = self.tipsets.lock();
        let mut below =
            tipsets.iter().map(|(tipset, _)| tipset).filter(|tipset| tipset.height <= from.height);
        Ok(below.rfind(|tipset| tipset.height <= height).cloned())
    }

    fn header(&self, cid: &Cid, _data: &[u8]) -> Result<HeaderView> {
        let tipsets = self.tipsets.lock();
        let found = tipsets.iter().find(|(tipset, _)| tipset.key.cids() == [*cid]);
        let unknown = || PortError::bare(ErrorKind::Corrupt, format!("read header {cid}"));
        found.map(|(_, view)| view.clone()).ok_or_else(unknown)
    }

    fn key_object(&self, _key: &TipsetKey) -> Option<Cid> {
        None
    }

    fn subscribe(&self, _listener: Arc<dyn HeadListener>) -> Result<()> {
        Ok(())
    }
}

impl MockChain {
    /// Puts a header on top and says what its arrival asks for.
    fn push(&self, put: &dyn BlockWrite, parts: [Cid; 3]) -> Tipset {
        let mut tipsets = self.tipsets.lock();
        let parents = tipsets.last().map(|(tipset, _)| tipset.key.clone()).unwrap_or_default();
        let height = Epoch::new(tipsets.len() as u64);
        let [state, messages, receipts] = parts;
        // The height goes in as a link of its own, so that no two headers are one block.
        let number = raw_block(&height.height().to_le_bytes()).0;
        let unitary = Cid::new_v1(0xf101, *number.hash());
        let links: Vec<Cid> =
            parents.cids().iter().copied().chain([state, messages, receipts, unitary]).collect();
        let (cid, data) = list_block(&links);
        put.put(&cid, &data).unwrap();
        let key = TipsetKey::new(vec![cid]);
        let tipset = Tipset { key, height, timestamp: 0, parents: parents.clone() };
        let view = HeaderView { height, timestamp: 0, parents, messages, receipts, state };
        tipsets.push((tipset.clone(), view));
        tipset
    }
}

struct Scenario {
    rig: Rig,
    store: SplitStore,
    chain: Arc<MockChain>,
    garbage: Cid,
    compactions: usize,
}

impl Scenario {
    fn new(marks: MarkSets) -> (Self, Cid, Cid) {
        let mut rig = Rig::new(1, ColdPolicy::Universal);
        rig.settings.boundary_finalities = 2;
        rig.marks = marks;
        let chain = Arc::new(MockChain::default());
        let (garbage, data) = raw_block(&[1, 2, 3]);
        for tier in [&*rig.cold as &dyn BlockWrite, &*rig.hot] {
            tier.put(&garbage, &data).unwrap();
        }
        let genesis = chain.push(&*rig.hot, [garbage; 3]).key.cids()[0];
        let mut header = Vec::new();
        rig.hot.view(&genesis, &mut |data| header = data.to_vec()).unwrap();
        rig.cold.put(&genesis, &header).unwrap();
        let (protected, data) = raw_block(b"protected!");
        rig.hot.put(&protected, &data).unwrap();
        let (unprotected, data) = raw_block(b"unprotected!");
        rig.hot.put(&unprotected, &data).unwrap();
        let store = rig.open_bare().unwrap();
        store.add_protector(Arc::new(move |keep: &mut dyn FnMut(&Cid)| {
            keep(&protected);
            Ok(())
        }));
        store.start(chain.clone()).unwrap();
        (Self { rig, store, chain, garbage, compactions: 0 }, protected, unprotected)
    }

    fn grow(&mut self, heights: std::ops::Range<u8>) {
        for height in heights {
            let (state, data) = raw_block(&[height, 3, 3, 7]);
            self.store.put(&state, &data).unwrap();
            let tipset = self.chain.push(&self.store, [state, self.garbage, self.garbage]);
            let change = HeadChange { revert: Vec::new(), apply: vec![tipset] };
            if let Some(Decision::Compact(_)) = self.store.head_change(&change).unwrap() {
                self.store.compact().unwrap();
                self.compactions += 1;
            }
        }
    }

    fn counts(&self) -> (usize, usize) {
        (self.rig.cold_keys().len(), self.rig.hot_keys().len())
    }
}

fn play(marks: MarkSets) {
    let (mut scenario, protected, unprotected) = Scenario::new(marks);
    scenario.grow(1..5);
    assert_eq!((scenario.counts(), scenario.compactions), ((2, 12), 0), "no run below the threshold");
    scenario.grow(5..10);
    assert_eq!((scenario.counts(), scenario.compactions), ((6, 18), 1), "one run");
    assert!(scenario.rig.hot.has(&protected).unwrap(), "what a protector named stays hot");
    assert!(!scenario.rig.hot.has(&unprotected).unwrap(), "what nobody named leaves hot");
    assert!(scenario.rig.cold.has(&unprotected).unwrap(), "and is in cold");
    assert_eq!(block_cid(0x55, b"protected!"), protected);
}

#[test]
fn lotus_compaction_scenario_with_an_exact_set() {
    play(MarkSets::Exact(Arc::new(ExactSets)));
}

#[test]
fn lotus_compaction_scenario_with_a_set_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    // Spills after every key; the rest of the rig stays in memory.
    play(MarkSets::Exact(Arc::new(InFolder::new(DiskSets::with_buffer(1), folder.path()))));
}

#[test]
fn lotus_compaction_scenario_with_marks_that_may_over_approximate() {
    let visits = Arc::new(ExactSets);
    play(MarkSets::Split { visits: visits.clone(), marks: Arc::new(RoaringSets) });
    play(MarkSets::Split { visits, marks: Arc::new(BloomSets) });
}

#[test]
fn a_revert_alone_asks_for_nothing() {
    let (mut scenario, ..) = Scenario::new(MarkSets::Exact(Arc::new(ExactSets)));
    scenario.grow(1..10);
    let tipset = scenario.chain.heaviest().unwrap().unwrap();
    let change = HeadChange { revert: vec![tipset.clone(), tipset], apply: Vec::new() };
    assert_eq!(scenario.store.head_change(&change).unwrap(), None);
}
