//! Clauses of `BlockDelete`, and of scans beside deletes.

use std::sync::mpsc;
use std::time::Duration;

use cid::Cid;
use splitstore_domain::BlockKey;
use splitstore_domain::object::DAG_CBOR;
use splitstore_ports::{BlockDelete, BlockRead, HotStore, KeyScan};

use crate::probe::{assert_holds, assert_lacks, keys_of, open, put_all, scanned_keys, sorted_keys_of};
use crate::{Fixture, sample};

/// How long a view waits for a delete that may itself be waiting for the view.
const PATIENCE: Duration = Duration::from_millis(200);

/// "After it returns none of the keys is found."
pub fn what_was_deleted_is_not_found(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let blocks = sample::blocks(0..200);
    put_all(&store, &blocks);
    let (gone, kept) = blocks.split_at(120);
    store.delete_many(&keys_of(gone)).expect("delete");
    assert_lacks(&store, gone);
    assert_holds(&store, kept);
    assert_eq!(scanned_keys(&store), sorted_keys_of(kept));
}

/// "Keys that are not there are skipped": also twice in a batch, and none at all.
pub fn deleting_what_is_absent_is_skipped(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let blocks = sample::blocks(0..10);
    put_all(&store, &blocks);
    store.delete_many(&[]).expect("delete nothing");
    let mut keys = sample::keys(0..50);
    keys.push(BlockKey::from(&blocks[0].0));
    keys.push(BlockKey::from(&blocks[0].0));
    store.delete_many(&keys).expect("delete");
    store.delete_many(&keys).expect("delete again");
    assert_lacks(&store, &blocks[..1]);
    assert_holds(&store, &blocks[1..]);
}

/// A block may come back after its deletion, under another codec, and is there again.
pub fn a_deleted_block_can_be_put_again(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let (cid, data) = sample::block(1);
    for codec in [cid.codec(), DAG_CBOR] {
        let block = (Cid::new_v1(codec, *cid.hash()), data.clone());
        put_all(&store, std::slice::from_ref(&block));
        assert_holds(&store, std::slice::from_ref(&block));
        store.delete_many(&[BlockKey::from(&cid)]).expect("delete");
        assert_lacks(&store, &[block]);
    }
}

/// "Whatever is put or deleted meanwhile: it reads a snapshot."
pub fn a_scan_does_not_see_later_deletes(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let blocks = sample::blocks(0..100);
    put_all(&store, &blocks);
    let mut cursor = store.keys().expect("start a scan");
    let mut entries = Vec::new();
    cursor.next_batch(&mut entries, 10).expect("scan on");
    store.delete_many(&keys_of(&blocks)).expect("delete");
    cursor.next_batch(&mut entries, 1000).expect("scan on");
    while entries.len() < 100 {
        let had = entries.len();
        cursor.next_batch(&mut entries, 1000).expect("scan on");
        assert!(entries.len() > had, "the snapshot ended after {had} of 100 keys");
    }
    drop(cursor);
    let keys: Vec<_> = entries.into_iter().map(|entry| entry.key).collect();
    assert_eq!(keys, sorted_keys_of(&blocks));
    assert_eq!(scanned_keys(&store), []);
}

/// "A `view` under way keeps its data until its callback returns."
pub fn a_view_keeps_its_data_while_it_is_deleted(fixture: &impl Fixture<Store: HotStore>) {
    let store = open(fixture);
    let large = sample::sized_block(1, 1 << 20);
    put_all(&store, std::slice::from_ref(&large));
    let (start, started) = mpsc::channel();
    let (finish, finished) = mpsc::channel();
    std::thread::scope(|scope| {
        let store = &store;
        let key = BlockKey::from(&large.0);
        scope.spawn(move || {
            started.recv().expect("the view to begin");
            store.delete_many(&[key]).expect("delete");
            finish.send(()).ok();
        });
        let there = store.view(&large.0, &mut |bytes| {
            start.send(()).expect("the deleter to wait");
            // A delete that waits for readers is allowed; then the data is simply still there.
            finished.recv_timeout(PATIENCE).ok();
            assert_eq!(bytes, large.1);
        });
        assert!(there.expect("view"));
    });
    assert_lacks(&store, &[large]);
}
