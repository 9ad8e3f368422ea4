//! Flipped bits: never served, always named.

use std::fs;

use splitstore_conformance::sample;
use splitstore_ports::domain::BlockKey;
use splitstore_ports::{
    BlockRead, BlockReadExt, BlockWriteExt, ErrorKind, KeyScan, MetaCell, MetaStore, PortError, Result,
};
use splitstore_redb::{RedbCold, RedbMeta};

use crate::place::{Place, assert_holds, put};

fn assert_names(error: &PortError, words: &[&str]) {
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    for word in words {
        assert!(error.attempt().contains(word), "{word} in: {error}");
    }
}

#[test]
fn a_flipped_bit_in_a_value_is_never_served_and_the_error_names_block_and_file() {
    let blocks = sample::blocks(0..200);
    let place = Place::with(&blocks);
    let (cid, data) = &blocks[77];
    let places = place.find(data);
    assert!(!places.is_empty(), "the value lies in the file as it is");
    for at in places {
        place.flip(at + 5, 3);
    }
    let store = place.open().unwrap();
    let words = [cid.to_string(), place.cold().display().to_string()];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    assert_names(&store.view(cid, &mut |_| panic!("served")).unwrap_err(), &words);
    assert_names(&store.get_many(&[blocks[1].0, *cid]).unwrap_err(), &words);
    assert_names(&store.size(cid).unwrap_err(), &words);
    assert_holds(&store, &blocks[..77]);
    assert_holds(&store, &blocks[78..]);
}

#[test]
fn putting_a_damaged_block_again_mends_it() {
    let blocks = sample::blocks(0..50);
    let place = Place::with(&blocks);
    for at in place.find(&blocks[7].1) {
        place.flip(at, 0);
    }
    let store = place.open().unwrap();
    assert_eq!(store.get(&blocks[7].0).unwrap_err().kind(), ErrorKind::Corrupt);
    put(&store, &blocks);
    assert_holds(&store, &blocks);
}

#[test]
fn a_scan_stops_at_a_damaged_key_instead_of_skipping_it() {
    let blocks = sample::blocks(0..200);
    let mut keys: Vec<BlockKey> = blocks.iter().map(|(cid, _)| BlockKey::from(cid)).collect();
    keys.sort();
    // Byte 0 makes it no multihash; the top bit of byte 4, the digest's first, puts it out of order.
    for (byte, bit) in [(3, 0), (4, 7)] {
        let place = Place::with(&blocks);
        for at in place.find(keys[100].as_bytes()) {
            place.flip(at + byte, bit);
        }
        let error = scan(&place.open().unwrap()).unwrap_err();
        assert_names(&error, &["scan", &place.cold().display().to_string()]);
    }
}

#[test]
fn a_scan_stops_at_a_record_without_a_codec() {
    let (cid, data) = sample::sized_block(1, 9);
    let place = Place::with(&[(cid, data.clone())]);
    // All bytes of the record say that the codec goes on.
    let mut file = fs::read(place.cold()).unwrap();
    for at in place.find(&data) {
        file[at - 1..at + data.len()].fill(0xff);
    }
    fs::write(place.cold(), file).unwrap();
    let store = place.open().unwrap();
    assert_names(&scan(&store).unwrap_err(), &["scan"]);
    assert_names(&store.get(&cid).unwrap_err(), &[&cid.to_string()]);
}

#[test]
fn one_flipped_bit_anywhere_never_serves_wrong_bytes_nor_panics() {
    let blocks = sample::blocks(0..300);
    let intact = Place::with(&blocks);
    let bytes = fs::read(intact.cold()).unwrap();
    let used: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
    let (mut refused, mut corrupt, mut absent) = (0, 0, 0);
    for round in 0..150_usize {
        let place = Place::new();
        fs::write(place.cold(), &bytes).unwrap();
        place.flip(used[round * used.len() / 150], u32::try_from(round % 8).unwrap());
        let Ok(store) = place.open() else {
            refused += 1;
            continue;
        };
        for (cid, data) in &blocks {
            match store.get(cid) {
                Ok(Some(read)) => assert_eq!(&read, data, "wrong bytes served in round {round}"),
                Ok(None) => absent += 1,
                Err(_) => corrupt += 1,
            }
        }
    }
    println!("{refused} files refused, {corrupt} reads refused, {absent} blocks not found");
    assert!(corrupt > 30, "only {corrupt} of 150 flips were noticed");
}

#[test]
fn a_turned_bit_in_a_key_hides_no_block_and_brings_none() {
    let blocks = sample::blocks(0..300);
    let intact = Place::with(&blocks);
    let bytes = fs::read(intact.cold()).unwrap();
    for (round, (hidden, _)) in blocks.iter().enumerate() {
        let key = BlockKey::from(hidden);
        // In a leaf, and in the branch above where it divides two leaves: one of them at a time.
        for at in intact.find(key.as_bytes()) {
            let place = Place::new();
            fs::write(place.cold(), &bytes).unwrap();
            let bit = (round * 7) % (key.as_bytes().len() * 8);
            place.flip(at + bit / 8, u32::try_from(bit % 8).unwrap());
            let store = place.open().unwrap();
            for (cid, data) in &blocks {
                assert_eq!(store.get(cid).unwrap().as_ref(), Some(data), "bit {bit} of {hidden}");
                assert!(store.has(cid).unwrap());
            }
            for (cid, _) in sample::blocks(1000..1020) {
                assert_ne!(store.has(&cid).ok(), Some(true), "nobody has put {cid}");
            }
        }
    }
}

#[test]
fn a_block_whose_key_has_a_turned_bit_is_served_and_its_neighbours_are_as_before() {
    let blocks = sample::blocks(0..200);
    let mut keys: Vec<BlockKey> = blocks.iter().map(|(cid, _)| BlockKey::from(cid)).collect();
    keys.sort();
    // The last bit of the digest keeps the order of keys, the first one breaks it.
    for (byte, bit) in [(keys[0].as_bytes().len() - 1, 0), (4, 7)] {
        let place = Place::with(&blocks);
        for at in place.find(keys[100].as_bytes()) {
            place.flip(at + byte, bit);
        }
        assert_holds(&place.open().unwrap(), &blocks);
    }
}

#[test]
fn a_turned_bit_in_the_name_of_a_cell_is_corrupt_and_not_a_cell_that_was_never_set() {
    let place = Place::new();
    let path = place.cold();
    RedbMeta::open(&path).unwrap().set_many(&[(MetaCell::Head, b"a value".to_vec())]).unwrap();
    for at in place.find(MetaCell::Head.name().as_bytes()) {
        place.flip(at, 1);
    }
    let error = RedbMeta::open(&path).unwrap().get(MetaCell::Head).unwrap_err();
    assert_names(&error, &["head", &path.display().to_string()]);
}

#[test]
fn a_flipped_bit_in_a_cell_is_corrupt() {
    let place = Place::new();
    let path = place.cold();
    let value = b"a value that is easy to find".to_vec();
    RedbMeta::open(&path).unwrap().set_many(&[(MetaCell::Head, value.clone())]).unwrap();
    for at in place.find(&value) {
        place.flip(at, 1);
    }
    let error = RedbMeta::open(&path).unwrap().get(MetaCell::Head).unwrap_err();
    assert_names(&error, &["head", &path.display().to_string()]);
}

#[test]
fn data_put_under_a_wrong_cid_is_not_served() {
    let place = Place::new();
    let store = place.open().unwrap();
    let cid = sample::block(1).0;
    store.put(&cid, b"something else").unwrap();
    assert_names(&store.get(&cid).unwrap_err(), &[&cid.to_string()]);
}

fn scan(store: &RedbCold) -> Result<usize> {
    let mut cursor = store.keys()?;
    let mut batch = Vec::new();
    loop {
        let before = batch.len();
        cursor.next_batch(&mut batch, 32)?;
        if batch.len() == before {
            return Ok(before);
        }
    }
}
