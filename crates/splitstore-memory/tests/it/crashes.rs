//! What a crash takes from a store, and what it leaves.

use splitstore_conformance::sample;
use splitstore_domain::BlockKey;
use splitstore_memory::{MemoryClock, MemoryStore};
use splitstore_ports::{
    BlockDelete, BlockRead, BlockReadExt, BlockWrite, BlockWriteExt, Clock, ColdStore, ErrorKind, Interrupt,
    Maintenance, ReclaimMode,
};
use std::time::Duration;

#[test]
fn a_crash_loses_puts_and_deletes_that_were_not_synced() {
    let store = MemoryStore::hot();
    let blocks = sample::blocks(0..3);
    store.put(&blocks[0].0, &blocks[0].1).unwrap();
    store.sync().unwrap();
    store.put(&blocks[1].0, &blocks[1].1).unwrap();
    store.delete_many(&[BlockKey::from(&blocks[0].0)]).unwrap();
    assert_eq!(store.unsynced_calls(), 2);
    store.crash();
    assert_eq!(store.get(&blocks[0].0).unwrap().as_ref(), Some(&blocks[0].1), "the delete was not synced");
    assert!(!store.has(&blocks[1].0).unwrap(), "the put was not synced");
    assert_eq!(store.len(), 1);
}

#[test]
fn a_crash_may_keep_a_prefix_of_the_unsynced_calls() {
    for kept in 0..=4 {
        let store = MemoryStore::hot();
        for (cid, data) in sample::blocks(0..4) {
            store.put(&cid, &data).unwrap();
        }
        store.crash_keeping(kept);
        for (number, (cid, _)) in sample::blocks(0..4).into_iter().enumerate() {
            assert_eq!(store.has(&cid).unwrap(), number < kept, "block {number} after keeping {kept}");
        }
        assert_eq!(store.unsynced_calls(), 0);
    }
}

#[test]
fn what_survived_one_crash_survives_the_next() {
    let store = MemoryStore::hot();
    let (cid, data) = sample::block(1);
    store.put(&cid, &data).unwrap();
    store.crash_keeping(1);
    store.crash();
    assert!(store.has(&cid).unwrap());
}

#[test]
fn hot_shows_damage_and_cold_refuses_it() {
    let (cid, data) = sample::block(1);
    let hot = MemoryStore::hot();
    let cold = MemoryStore::cold();
    hot.put(&cid, &data).unwrap();
    cold.put(&cid, &data).unwrap();
    assert!(hot.damage(&BlockKey::from(&cid), b"damaged"));
    assert!(cold.store().damage(&BlockKey::from(&cid), b"damaged"));
    assert!(!hot.damage(&sample::key(7), b"damaged"), "there is no such block");
    assert_eq!(hot.get(&cid).unwrap().as_deref(), Some(&b"damaged"[..]));
    assert_eq!(cold.get(&cid).unwrap_err().kind(), ErrorKind::Corrupt);
    assert!(cold.deletion().is_some());
}

#[test]
fn deleted_bytes_count_until_they_are_reclaimed() {
    let store = MemoryStore::hot();
    let (cid, data) = sample::sized_block(1, 1000);
    store.put(&cid, &data).unwrap();
    let full = store.size_on_disk().unwrap();
    store.delete_many(&[BlockKey::from(&cid)]).unwrap();
    assert_eq!(store.size_on_disk().unwrap(), full);
    let reclaimed = store.reclaim(ReclaimMode::Full, &Interrupt::new()).unwrap();
    assert_eq!((reclaimed.before, reclaimed.after.0), (full, 0));
}

#[test]
fn a_clock_moves_only_when_it_is_moved() {
    let clock = MemoryClock::new();
    clock.set_unix_seconds(1_700_000_000);
    clock.advance(Duration::from_millis(1500));
    assert_eq!(clock.elapsed(), Duration::from_millis(1500));
    assert_eq!(clock.unix_seconds(), 1_700_000_001);
    clock.set_unix_seconds(5);
    assert_eq!(clock.elapsed(), Duration::from_millis(1500), "setting the clock is no time passing");
    assert_eq!(clock.clone().unix_seconds(), 5);
}
