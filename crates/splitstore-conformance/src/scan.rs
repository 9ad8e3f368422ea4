//! Clauses of `KeyScan`, for hot and cold alike.

use cid::Cid;
use splitstore_domain::BlockKey;
use splitstore_domain::object::{DAG_CBOR, RAW};
use splitstore_ports::KeyScan;

use crate::probe::{Blocks, open, put, put_all, scan, scanned_keys, sorted_keys_of};
use crate::{Fixture, sample};

/// "A cursor yields each key that was in the store ..., once, in ascending order of the key's bytes."
pub fn a_scan_yields_each_key_once_in_byte_order(fixture: &impl Fixture<Store: Blocks>) {
    let store = open(fixture);
    let mut blocks = sample::blocks(0..500);
    blocks.push(sample::sha2_256_block(RAW));
    put_all(&store, &blocks[..300]);
    put_all(&store, &blocks[200..]);
    let keys = scanned_keys(&store);
    assert!(keys.windows(2).all(|pair| pair[0].as_bytes() < pair[1].as_bytes()), "strictly ascending bytes");
    assert_eq!(keys, sorted_keys_of(&blocks));
}

/// An entry has "the codec it was put under" and "the length of its data in bytes".
pub fn a_scan_knows_codec_and_size(fixture: &impl Fixture<Store: Blocks>) {
    let store = open(fixture);
    let mut blocks = sample::blocks(0..100);
    blocks.push(sample::dag_block());
    blocks.push(sample::sized_block(0, 0));
    put_all(&store, &blocks);
    let entries = scan(&store, 1000);
    assert_eq!(entries.len(), blocks.len());
    for (cid, data) in &blocks {
        let key = BlockKey::from(cid);
        let entry = entries.iter().find(|entry| entry.key == key).expect("an entry for each block");
        assert_eq!(entry.codec, cid.codec());
        assert_eq!(entry.size, data.len() as u64);
        assert_eq!(entry.cid(), *cid);
    }
}

/// "The codec kept for it is that of one of the puts."
pub fn the_codec_is_that_of_one_of_the_puts(fixture: &impl Fixture<Store: Blocks>) {
    let store = open(fixture);
    let (cid, data) = sample::block(5);
    put(&store, &cid, &data);
    put(&store, &Cid::new_v1(DAG_CBOR, *cid.hash()), &data);
    let entries = scan(&store, 10);
    assert_eq!(entries.len(), 1);
    assert!([RAW, DAG_CBOR].contains(&entries[0].codec), "codec 0x{:x} was never put", entries[0].codec);
}

/// "Appends up to `max` further keys to `batch`; none appended means the end."
pub fn batches_of_any_size_make_the_same_scan(fixture: &impl Fixture<Store: Blocks>) {
    let store = open(fixture);
    let blocks = sample::blocks(0..100);
    put_all(&store, &blocks);
    let expected = sorted_keys_of(&blocks);
    for max in [1, 7, 99, 100, 101, usize::MAX] {
        let keys: Vec<_> = scan(&store, max).into_iter().map(|entry| entry.key).collect();
        assert_eq!(keys, expected, "in batches of {max}");
    }
}

/// "None appended means the end": at once in an empty store, and again however often it is asked.
pub fn an_empty_store_scans_to_nothing(fixture: &impl Fixture<Store: Blocks>) {
    let store = open(fixture);
    let mut cursor = store.keys().expect("start a scan");
    let mut batch = Vec::new();
    for _ in 0..3 {
        cursor.next_batch(&mut batch, 10).expect("scan on");
        assert_eq!(batch, []);
    }
}

/// "Whatever is put ... meanwhile: it reads a snapshot."
pub fn a_scan_does_not_see_later_puts(fixture: &impl Fixture<Store: Blocks>) {
    let store = open(fixture);
    let (before, after) = (sample::blocks(0..50), sample::blocks(50..150));
    put_all(&store, &before);
    let mut cursor = store.keys().expect("start a scan");
    let mut entries = Vec::new();
    put_all(&store, &after[..50]);
    cursor.next_batch(&mut entries, 10).expect("scan on");
    put_all(&store, &after[50..]);
    while {
        let had = entries.len();
        cursor.next_batch(&mut entries, 10).expect("scan on");
        entries.len() > had
    } {}
    drop(cursor);
    let keys: Vec<_> = entries.into_iter().map(|entry| entry.key).collect();
    assert_eq!(keys, sorted_keys_of(&before));
    assert_eq!(scanned_keys(&store).len(), 150, "the next scan sees them");
}
