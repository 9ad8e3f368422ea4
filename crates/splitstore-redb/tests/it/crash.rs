//! Unclean stops: the file, copied while it is open, is what a killed process leaves.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use splitstore_conformance::sample;
use splitstore_ports::{ColdStore, Interrupt, MetaCell, MetaStore, ReclaimMode};
use splitstore_redb::{RedbCold, RedbMeta};

use crate::place::{Place, assert_holds, options, put};

/// Whether redb has to walk the whole file to open it.
fn needs_walk(place: &Place, name: &str) -> bool {
    let walked = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&walked);
    let mut builder = redb::Database::builder();
    builder.set_repair_callback(move |_| seen.store(true, Ordering::Relaxed));
    drop(builder.open(place.file(name)).unwrap());
    walked.load(Ordering::Relaxed)
}

fn copy(place: &Place, to: &str) {
    fs::copy(place.cold(), place.file(to)).unwrap();
}

#[test]
fn an_unclean_stop_opens_without_a_walk_and_keeps_all_puts() {
    let place = Place::new();
    let store = place.open().unwrap();
    let blocks = sample::blocks(0..3000);
    for (round, batch) in blocks.chunks(1000).enumerate() {
        put(&store, batch);
        let (kept, probed) = (format!("kept-{round}"), format!("probed-{round}"));
        copy(&place, &kept);
        copy(&place, &probed);
        assert!(!needs_walk(&place, &probed), "after put {round}");
        let killed = RedbCold::open(place.file(&kept), options()).unwrap();
        assert_holds(&killed, &blocks[..(round + 1) * 1000]);
    }
}

#[test]
fn an_unclean_stop_of_a_fresh_store_or_after_a_reclaim_opens_without_a_walk() {
    let place = Place::new();
    let store = place.open().unwrap();
    copy(&place, "fresh");
    assert!(!needs_walk(&place, "fresh"));
    let blocks = sample::blocks(0..1000);
    put(&store, &blocks);
    store.maintenance().unwrap().reclaim(ReclaimMode::Full, &Interrupt::new()).unwrap();
    copy(&place, "reclaimed");
    copy(&place, "kept");
    assert!(!needs_walk(&place, "reclaimed"));
    assert_holds(&RedbCold::open(place.file("kept"), options()).unwrap(), &blocks);
}

#[test]
fn a_cell_is_durable_when_set_many_returns() {
    let place = Place::new();
    let meta = RedbMeta::open(place.cold()).unwrap();
    for round in 0..5_u8 {
        meta.set_many(&[(MetaCell::BaseEpoch, vec![round; 8]), (MetaCell::Head, vec![round])]).unwrap();
        copy(&place, "killed");
        let killed = RedbMeta::open(place.file("killed")).unwrap();
        assert_eq!(killed.get(MetaCell::BaseEpoch).unwrap(), Some(vec![round; 8]));
        assert_eq!(killed.get(MetaCell::Head).unwrap(), Some(vec![round]));
    }
}
