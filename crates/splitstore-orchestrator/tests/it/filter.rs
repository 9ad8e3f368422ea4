//! Protection: what is read or written since a run began stays, with all that is below it.

use splitstore_domain::ColdPolicy;
use splitstore_orchestrator::SplitStore;
use splitstore_ports::cid::Cid;
use splitstore_ports::{BlockRead, BlockWriteExt, ChainAccessor};

use crate::rig::{Rig, finish, generated, list_block, raw_block, step_to};

type Block = (Cid, Vec<u8>);

/// A chain with an orphan DAG of two blocks in hot: root links to leaf.
fn rig_with_orphan() -> (Rig, Block, Block) {
    let (blocks, head, _) = generated(24, 31);
    let mut rig = Rig::new(2, ColdPolicy::Discard);
    let leaf = raw_block(b"orphan leaf");
    let root = list_block(&[leaf.0]);
    rig.load(&blocks, &head);
    rig.load([(&leaf.0, &leaf.1), (&root.0, &root.1)], &head);
    (rig, root, leaf)
}

#[test]
fn an_orphan_that_nobody_touches_is_collected() {
    let (rig, root, leaf) = rig_with_orphan();
    let (store, _chain) = rig.open().unwrap();
    store.compact().unwrap();
    assert!(!store.has(&root.0).unwrap() && !store.has(&leaf.0).unwrap());
}

/// In each phase before the seal, each kind of touch keeps the block and what is below it.
#[test]
fn any_touch_in_any_phase_before_the_seal_keeps_the_whole_dag() {
    type Touch = fn(&SplitStore, &Block);
    let touches: [(&str, Touch); 7] = [
        ("has", |store, root| assert!(store.has(&root.0).unwrap())),
        ("get", |store, root| assert!(store.get(&root.0).unwrap().is_some())),
        ("size", |store, root| assert!(store.size(&root.0).unwrap().is_some())),
        ("view", |store, root| assert!(store.view(&root.0, &mut |_| {}).unwrap())),
        ("get_many", |store, root| assert_ne!(store.get_many(&[root.0]).unwrap(), [None])),
        ("view_many", |store, root| store.view_many(&[root.0], &mut |_, _| {}).unwrap()),
        ("put", |store, root| store.put(&root.0, &root.1).unwrap()),
    ];
    for phase in ["mark", "collect", "transfer", "seal"] {
        for (name, touch) in touches {
            let (rig, root, leaf) = rig_with_orphan();
            let (store, _chain) = rig.open().unwrap();
            let mut run = store.begin().unwrap();
            step_to(&mut run, phase);
            touch(&store, &root);
            finish(run);
            assert_eq!(store.get(&root.0).unwrap(), Some(root.1), "{name} in {phase}");
            assert_eq!(store.get(&leaf.0).unwrap(), Some(leaf.1), "below {name} in {phase}");
        }
    }
}

#[test]
fn after_the_seal_an_unmarked_block_is_absent_for_every_kind_of_read() {
    let (rig, root, _) = rig_with_orphan();
    let (store, _chain) = rig.open().unwrap();
    let mut run = store.begin().unwrap();
    step_to(&mut run, "purge");
    assert!(!store.has(&root.0).unwrap());
    assert_eq!(store.get(&root.0).unwrap(), None);
    assert_eq!(store.size(&root.0).unwrap(), None);
    assert_eq!(store.get_many(&[root.0]).unwrap(), [None]);
    store.view_many(&[root.0], &mut |_, _| panic!("shown although it is unmarked")).unwrap();
    finish(run);
    assert!(!store.has(&root.0).unwrap());
}

#[test]
fn a_put_after_the_seal_keeps_the_block_and_what_is_left_below_it() {
    let (rig, root, leaf) = rig_with_orphan();
    let (store, _chain) = rig.open().unwrap();
    let mut run = store.begin().unwrap();
    step_to(&mut run, "purge");
    store.put(&root.0, &root.1).unwrap();
    finish(run);
    assert_eq!(store.get(&root.0).unwrap(), Some(root.1));
    assert_eq!(store.get(&leaf.0).unwrap(), Some(leaf.1));
}

/// A parent is referenced while its child is not there yet; the child comes later, in one piece with what is
/// below it. That the parent was "seen" must not make the walk stop at the child.
#[test]
fn a_child_that_arrives_after_its_parent_was_walked_is_kept_with_what_is_below_it() {
    for late in ["collect", "seal", "purge"] {
        let (mut rig, below, leaf) = rig_with_orphan();
        let child = list_block(&[below.0]);
        let parent = list_block(&[child.0, raw_block(b"another").0]);
        let head = rig.head.clone();
        rig.load([(&parent.0, &parent.1)], &head);
        let (store, _chain) = rig.open().unwrap();
        let mut run = store.begin().unwrap();
        step_to(&mut run, "mark");
        assert!(store.has(&parent.0).unwrap());
        step_to(&mut run, late);
        store.put(&child.0, &child.1).unwrap();
        finish(run);
        for block in [&parent, &child, &below, &leaf] {
            assert_eq!(store.get(&block.0).unwrap().as_ref(), Some(&block.1), "child put in {late}");
        }
    }
}

/// A block met as raw first must still be opened when it is met as DAG-CBOR.
#[test]
fn a_block_seen_as_raw_is_opened_when_it_is_met_as_dag_cbor() {
    let (rig, root, leaf) = rig_with_orphan();
    let (store, _chain) = rig.open().unwrap();
    let as_raw = Cid::new_v1(splitstore_domain::object::RAW, *root.0.hash());
    let mut run = store.begin().unwrap();
    step_to(&mut run, "mark");
    assert!(store.has(&as_raw).unwrap());
    step_to(&mut run, "collect");
    assert!(store.has(&root.0).unwrap());
    finish(run);
    assert_eq!(store.get(&leaf.0).unwrap(), Some(leaf.1));
}

/// Below a header hangs the whole chain with all its states. What of that stays, the retention table says, also
/// when somebody reads or re-puts a header while a run is active.
#[test]
fn touching_a_header_keeps_no_more_than_the_retention_table_says() {
    let (rig, _, _) = rig_with_orphan();
    let undisturbed = {
        let (rig, _, _) = rig_with_orphan();
        rig.open().unwrap().0.compact().unwrap();
        rig.hot_keys()
    };
    let (store, chain) = rig.open().unwrap();
    let tip = chain.heaviest().unwrap().unwrap();
    let old = chain.tipset_at(splitstore_domain::Epoch::new(5), &tip).unwrap().unwrap().key;
    let header = old.cids()[0];
    let data = store.get(&header).unwrap().unwrap();
    let mut run = store.begin().unwrap();
    for phase in ["mark", "collect", "seal", "purge"] {
        step_to(&mut run, phase);
        assert!(store.has(&header).unwrap());
        store.put(&header, &data).unwrap();
    }
    finish(run);
    assert_eq!(rig.hot_keys().len(), undisturbed.len());
}

/// Marked as a raw leaf, a block promises nothing below it; asked for as DAG-CBOR it promises all that is left.
#[test]
fn a_leaf_that_is_read_as_dag_cbor_after_the_seal_keeps_what_is_below_it() {
    let (rig, root, leaf) = rig_with_orphan();
    let (store, _chain) = rig.open().unwrap();
    let as_raw = Cid::new_v1(splitstore_domain::object::RAW, *root.0.hash());
    let mut run = store.begin().unwrap();
    step_to(&mut run, "mark");
    assert!(store.has(&as_raw).unwrap());
    step_to(&mut run, "purge");
    assert!(store.has(&root.0).unwrap());
    finish(run);
    assert_eq!(store.get(&leaf.0).unwrap(), Some(leaf.1));
}

/// A view that began before the run, and is still open when it seals, relies on what it looks at.
#[test]
fn a_view_keeps_what_it_looks_at_however_long_it_lasts() {
    for phase in ["prepare", "mark", "transfer"] {
        let (rig, root, leaf) = rig_with_orphan();
        let (store, _chain) = rig.open().unwrap();
        let mut run = None;
        if phase != "prepare" {
            let mut begun = store.begin().unwrap();
            step_to(&mut begun, phase);
            run = Some(begun);
        }
        let viewed = store.view(&root.0, &mut |data| {
            assert_eq!(data, root.1);
            finish(run.take().unwrap_or_else(|| store.begin().unwrap()));
        });
        assert!(viewed.unwrap());
        assert_eq!(store.get(&root.0).unwrap().as_ref(), Some(&root.1), "viewed since {phase}");
        assert_eq!(store.get(&leaf.0).unwrap().as_ref(), Some(&leaf.1), "below a view since {phase}");
    }
}

#[test]
fn a_tipset_applied_during_a_run_is_kept_with_its_state() {
    for phase in ["mark", "collect", "seal", "purge"] {
        let (rig, root, leaf) = rig_with_orphan();
        let (store, _chain) = rig.open().unwrap();
        let mut run = store.begin().unwrap();
        step_to(&mut run, phase);
        // Its blocks were put before the run began; only the head change says that they are wanted.
        let key = splitstore_domain::TipsetKey::new(vec![root.0]);
        let tipset = splitstore_domain::Tipset {
            key,
            height: splitstore_domain::Epoch::new(25),
            timestamp: 0,
            parents: splitstore_domain::TipsetKey::default(),
        };
        store.head_change(&crate::rig::apply(tipset)).unwrap();
        finish(run);
        assert_eq!(store.get(&leaf.0).unwrap().as_ref(), Some(&leaf.1), "applied in {phase}");
    }
}

#[test]
fn untracked_reads_keep_nothing() {
    let (rig, root, _) = rig_with_orphan();
    let (store, _chain) = rig.open().unwrap();
    let mut run = store.begin().unwrap();
    step_to(&mut run, "collect");
    assert!(store.untracked().has(&root.0).unwrap());
    finish(run);
    assert!(!store.has(&root.0).unwrap());
}

#[test]
fn a_run_that_is_dropped_before_the_seal_leaves_the_store_as_it_was() {
    for phase in ["mark", "collect", "transfer", "seal"] {
        let (rig, root, _) = rig_with_orphan();
        let (store, _chain) = rig.open().unwrap();
        let before = rig.hot_keys();
        let mut run = store.begin().unwrap();
        step_to(&mut run, phase);
        drop(run);
        assert_eq!(rig.hot_keys(), before, "dropped in {phase}");
        assert!(store.has(&root.0).unwrap(), "and nothing is filtered");
        store.compact().unwrap();
    }
}

/// Anybody can put a block whose links cannot be read. It must not end the run, nor make reads fail.
#[test]
fn a_malformed_block_that_is_put_during_a_run_is_kept_as_a_leaf() {
    for phase in ["mark", "seal", "purge"] {
        let (rig, _, _) = rig_with_orphan();
        let (store, _chain) = rig.open().unwrap();
        let data = vec![0x82, 0x01];
        let cid = crate::rig::block_cid(splitstore_domain::object::DAG_CBOR, &data);
        let mut run = store.begin().unwrap();
        step_to(&mut run, phase);
        store.put(&cid, &data).unwrap();
        assert_eq!(store.get(&cid).unwrap().as_ref(), Some(&data), "in {phase}");
        finish(run);
        assert_eq!(store.get(&cid).unwrap(), Some(data), "after {phase}");
    }
}
