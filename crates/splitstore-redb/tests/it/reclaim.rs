//! Giving space back.

use std::sync::atomic::{AtomicBool, Ordering};

use splitstore_conformance::sample;
use splitstore_ports::domain::BlockKey;
use splitstore_ports::{ColdStore, ErrorKind, Interrupt, KeyScan, ReclaimMode};

use crate::place::{Named, Place, assert_holds, put};

fn four_mebibytes() -> Vec<Named> {
    (0..128).map(|n| sample::sized_block(n, 32 << 10)).collect()
}

#[test]
fn a_full_reclaim_shrinks_the_file_by_what_was_deleted() {
    let place = Place::new();
    let store = place.open().unwrap();
    let blocks = four_mebibytes();
    put(&store, &blocks);
    let keys: Vec<BlockKey> = blocks[..96].iter().map(|(cid, _)| BlockKey::from(cid)).collect();
    store.deletion().unwrap().delete_many(&keys).unwrap();
    let maintenance = store.maintenance().unwrap();
    let reclaimed = maintenance.reclaim(ReclaimMode::Full, &Interrupt::new()).unwrap();
    assert_eq!(reclaimed.after, maintenance.size_on_disk().unwrap());
    assert!(reclaimed.after.0 + (3 << 20) <= reclaimed.before.0, "{reclaimed:?}");
    assert_holds(&store, &blocks[96..]);
    put(&store, &blocks);
    assert_holds(&store, &blocks);
}

#[test]
fn an_online_reclaim_is_unsupported() {
    let place = Place::with(&sample::blocks(0..5));
    let store = place.open().unwrap();
    let error = store.maintenance().unwrap().reclaim(ReclaimMode::Online, &Interrupt::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
}

#[test]
fn a_reclaim_inside_a_scan_gives_up_at_once_and_does_nothing() {
    let place = Place::with(&sample::blocks(0..5));
    let store = place.open().unwrap();
    let cursor = store.keys().unwrap();
    let maintenance = store.maintenance().unwrap();
    let error = maintenance.reclaim(ReclaimMode::Full, &Interrupt::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    drop(cursor);
    maintenance.reclaim(ReclaimMode::Full, &Interrupt::new()).unwrap();
    assert_holds(&store, &sample::blocks(0..5));
}

#[test]
fn a_reclaim_that_waits_for_a_scan_holds_up_no_read_and_can_be_interrupted() {
    let blocks = sample::blocks(0..2000);
    let place = Place::with(&blocks);
    let store = place.open().unwrap();
    let interrupt = Interrupt::new();
    std::thread::scope(|scope| {
        let cursor = store.keys().unwrap();
        let waiting =
            scope.spawn(|| store.maintenance().unwrap().reclaim(ReclaimMode::Full, &interrupt).unwrap_err());
        // In the scan's own thread, as a callback would, and in another. Were each held up for one slice of
        // the wait, the reclaim would have given up long before the reads end.
        assert_holds(&store, &blocks);
        scope.spawn(|| assert_holds(&store, &blocks)).join().unwrap();
        interrupt.raise();
        assert_eq!(waiting.join().unwrap().kind(), ErrorKind::Interrupted);
        drop(cursor);
    });
}

#[test]
fn a_reclaim_gets_its_turn_beside_threads_that_keep_reading() {
    let blocks = sample::blocks(0..500);
    let place = Place::with(&blocks);
    let store = place.open().unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    assert_holds(&store, &blocks);
                }
            });
        }
        let reclaimed = store.maintenance().unwrap().reclaim(ReclaimMode::Full, &Interrupt::new());
        done.store(true, Ordering::Relaxed);
        reclaimed.unwrap();
    });
    assert_holds(&store, &blocks);
}
