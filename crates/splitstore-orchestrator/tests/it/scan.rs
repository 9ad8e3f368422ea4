//! Marking by scan keeps what the walk keeps, also where keys collide, links leave hot, or codecs differ.

use std::collections::BTreeSet;

use splitstore_domain::object::{DAG_CBOR, RAW};
use splitstore_domain::{BlockKey, ColdPolicy};
use splitstore_fixtures::ChainSpec;
use splitstore_fixtures::oracle::Blocks;
use splitstore_memory::Call;
use splitstore_orchestrator::{Error, MarkStrategy};
use splitstore_ports::cid::Cid;
use splitstore_ports::{BlockDelete, BlockReadExt, BlockWriteExt, ErrorKind, FileSystem};

use crate::rig::{MODES, Mode, Rig, generated, list_block, raw_block};

/// Compacts in each way of marking a store that `prepare` has had its way with; what stays hot each time, and
/// how much was missing.
fn all_ways(blocks: &Blocks, head: &[Cid], prepare: impl Fn(&Rig)) -> BTreeSet<BlockKey> {
    let outcomes = MODES.map(|mode| {
        let mut rig = Rig::new(3, ColdPolicy::Discard);
        rig.mode = mode;
        rig.load(blocks, head);
        prepare(&rig);
        let (store, _chain) = rig.open().unwrap();
        let report = store.compact().unwrap();
        (rig.hot_keys(), report.plan.missing)
    });
    for (mode, outcome) in MODES.iter().zip(&outcomes).skip(1) {
        assert_eq!(*outcome, outcomes[0], "{mode:?} keeps what the walk keeps");
    }
    let [(hot, _), ..] = outcomes;
    hot
}

/// Puts blocks into cold, and takes them out of hot.
fn moved_to_cold(rig: &Rig, victims: &[BlockKey]) {
    for key in victims {
        let cid = key.to_cid(DAG_CBOR);
        let data = rig.hot.get(&cid).unwrap().expect("it was loaded");
        rig.cold.put(&cid, &data).unwrap();
    }
    rig.hot.delete_many(victims).unwrap();
}

#[test]
fn a_hot_child_of_a_cold_parent_stays() {
    let (blocks, head, _) = generated(30, 31);
    let dags: Vec<BlockKey> =
        blocks.keys().filter(|cid| cid.codec() == DAG_CBOR).map(BlockKey::from).collect();
    let whole = all_ways(&blocks, &head, |_| {});
    for seed in 0..8 {
        let live = dags.iter().filter(|key| whole.contains(key));
        let victims: Vec<BlockKey> = live.skip(seed).step_by(9).cloned().collect();
        let hot = all_ways(&blocks, &head, |rig| moved_to_cold(rig, &victims));
        let left: BTreeSet<BlockKey> = whole.iter().filter(|key| !victims.contains(key)).cloned().collect();
        assert_eq!(hot, left, "what is live and hot stays hot, whatever of it is in cold");
    }
}

#[test]
fn leaves_that_are_nowhere_change_nothing() {
    let (blocks, head, _) = generated(30, 32);
    let raw: Vec<BlockKey> = blocks.keys().filter(|cid| cid.codec() == RAW).map(BlockKey::from).collect();
    assert!(!raw.is_empty());
    all_ways(&blocks, &head, |rig| rig.hot.delete_many(&raw).unwrap());
}

/// The same bytes, kept as raw: what a link says decides how they are read.
#[test]
fn a_block_kept_as_raw_is_opened_when_a_link_says_that_it_is_dag_cbor() {
    let (blocks, head, _) = generated(30, 33);
    let whole = all_ways(&blocks, &head, |_| {});
    let as_raw = all_ways(&blocks, &head, |rig| {
        for (cid, data) in blocks.iter().filter(|(cid, _)| cid.codec() == DAG_CBOR) {
            rig.hot.put(&Cid::new_v1(RAW, *cid.hash()), data).unwrap();
        }
    });
    assert_eq!(as_raw, whole);
}

#[test]
fn what_is_put_while_a_scan_is_under_way_stays_with_all_below_it() {
    for mode in MODES {
        let (blocks, head, _) = generated(30, 34);
        let mut rig = Rig::new(3, ColdPolicy::Discard);
        rig.mode = mode;
        rig.load(&blocks, &head);
        let (leaf, leaf_data) = raw_block(b"in hot before the run");
        rig.hot.put(&leaf, &leaf_data).unwrap();
        let (store, _chain) = rig.open().unwrap();
        let mut run = store.begin().unwrap();
        let mut put = Vec::new();
        for number in 0..40_u8 {
            run.step().unwrap();
            let (inner, data) = list_block(&[leaf, raw_block(&[number]).0]);
            store.put(&inner, &data).unwrap();
            put.push(inner);
        }
        crate::rig::finish(run);
        assert!(put.iter().chain([&leaf]).all(|cid| store.get(cid).unwrap().is_some()), "{mode:?}");
    }
}

#[test]
fn a_scan_that_fails_ends_the_run_and_deletes_nothing() {
    let (blocks, head, _) = generated(30, 35);
    let mut rig = Rig::new(3, ColdPolicy::Discard);
    rig.load(&blocks, &head);
    let before = rig.hot_keys();
    let (store, _chain) = rig.open().unwrap();
    rig.hot.fail_nth_where(1, ErrorKind::Corrupt, |call| matches!(call, Call::Snapshot));
    let error = store.compact().unwrap_err();
    assert!(matches!(&error, Error::Port(port) if port.kind() == ErrorKind::Corrupt), "{error}");
    assert_eq!(rig.hot_keys(), before);
    store.compact().unwrap();
}

#[test]
fn a_scan_is_made_unless_little_is_expected_to_be_live() {
    let (blocks, head, _) = generated(60, 36);
    let mut rig = Rig::new(1, ColdPolicy::Discard);
    rig.load(&blocks, &head);
    let (store, chain) = rig.open().unwrap();
    // What is final is forgotten: then a walk reads all headers and more.
    let tenured = std::path::Path::new(crate::rig::FOLDER).join("tenured");
    let count = |rig: &Rig| {
        rig.files.remove(&tenured).unwrap();
        let (store, _chain) = rig.open().unwrap();
        rig.hot.heal();
        rig.hot.fail_nth_where(u64::MAX, ErrorKind::Corrupt, |call| matches!(call, Call::ViewMany(_)));
        store.plan().unwrap();
        rig.hot.picked()
    };
    drop((store, chain));
    let scanned = count(&rig);
    let (store, chain) = rig.open().unwrap();
    store.compact().unwrap();
    // Ten times as much garbage as was marked.
    for number in 0..10 * rig.hot_keys().len() as u64 {
        let (cid, data) = raw_block(&number.to_le_bytes());
        rig.hot.put(&cid, &data).unwrap();
    }
    drop((store, chain));
    let walked = count(&rig);
    assert!(walked > scanned, "a walk reads {walked} batches, a scan {scanned}");
}

/// Enough blocks for ranges and levels to be shared among threads.
#[test]
fn threads_mark_what_one_thread_marks() {
    let spec = ChainSpec { epochs: 400, actors: 12_000, seed: 37, ..ChainSpec::default() };
    let mut blocks = Blocks::new();
    let made = splitstore_fixtures::generate(&spec, &mut |cid: &Cid, data: &[u8]| {
        blocks.insert(*cid, data.to_vec());
        Ok::<_, std::io::Error>(())
    });
    let head = made.unwrap().head;
    assert!(blocks.len() > 80_000, "{} blocks", blocks.len());
    let kept = [MarkStrategy::Walk, MarkStrategy::Scan].map(|strategy| {
        let mut rig = Rig::new(50, ColdPolicy::Messages);
        rig.mode = Mode { strategy, id_bits: 63 };
        rig.load(&blocks, &head);
        let (store, _chain) = rig.open().unwrap();
        let report = store.compact().unwrap();
        assert!(store.audit().unwrap().is_clean(), "one thread finds all that is live");
        (rig.hot_keys(), rig.cold_keys(), report.plan)
    });
    assert!(kept[0] == kept[1], "{:?} and {:?}", kept[0].2, kept[1].2);
}
