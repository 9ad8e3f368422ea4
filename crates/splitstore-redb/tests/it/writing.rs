//! Writes: what later reads see of them, and what they leave alone.

use std::fs;

use splitstore_conformance::sample;
use splitstore_ports::domain::BlockKey;
use splitstore_ports::{Block, BlockRead, BlockReadExt, BlockWrite, ErrorKind};

use crate::place::{Place, assert_holds, put};

#[test]
fn a_read_sees_what_was_put_after_an_earlier_read() {
    let place = Place::new();
    let store = place.open().unwrap();
    let (cid, data) = sample::block(1);
    assert_eq!(store.get(&cid).unwrap(), None);
    let mut seen = None;
    put(&store, &sample::blocks(5..6));
    store
        .view(&sample::block(5).0, &mut |_| {
            put(&store, &[(cid, data.clone())]);
            seen = store.get(&cid).unwrap();
        })
        .unwrap();
    assert_eq!(seen, Some(data), "also from inside an older read");
}

#[test]
fn putting_what_is_there_writes_nothing() {
    let place = Place::new();
    let store = place.open().unwrap();
    let blocks = sample::blocks(0..500);
    put(&store, &blocks);
    let before = fs::read(place.cold()).unwrap();
    put(&store, &blocks[100..400]);
    assert!(fs::read(place.cold()).unwrap() == before, "the file was written");
}

#[test]
fn batches_in_any_order_among_any_neighbours_make_the_same_store() {
    let blocks = sample::blocks(0..2000);
    let mut in_order = blocks.clone();
    in_order.sort_by_key(|(cid, _)| BlockKey::from(cid));
    // Every third first, so that later runs meet gaps of two; then overlapping batches; then everything.
    let thirds: Vec<_> = in_order.iter().step_by(3).cloned().collect();
    let place = Place::new();
    let store = place.open().unwrap();
    put(&store, &thirds);
    for batch in blocks.chunks(300) {
        put(&store, batch);
    }
    put(&store, &in_order[500..1500]);
    assert_holds(&store, &blocks);
}

#[test]
fn a_block_that_cannot_be_checked_is_refused_with_its_batch() {
    let place = Place::new();
    let store = place.open().unwrap();
    let ((cid, data), (other, other_data)) = (sample::sha2_512_block(), sample::block(1));
    let batch = [Block { cid: other, data: &other_data }, Block { cid, data: &data }];
    assert_eq!(store.put_many(&batch).unwrap_err().kind(), ErrorKind::Unsupported);
    assert!(!store.has(&other).unwrap());
    put(&store, &[(other, other_data)]);
}
