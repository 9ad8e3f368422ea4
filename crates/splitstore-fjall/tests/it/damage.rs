//! Damaged data is an error that names it, never an answer.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use splitstore_conformance::sample::{block, blocks, sized_block};
use splitstore_domain::BlockKey;
use splitstore_ports::{
    BlockRead, BlockReadExt, ErrorKind, Interrupt, KeyScan, Maintenance, PortError, ReclaimMode,
};

use crate::sample::{open, put};

/// Writes a record past the adapter, as a fault or a foreign hand would.
fn plant(path: &Path, key: &[u8], value: &[u8]) {
    drop(open(path));
    let raw = fjall::Database::builder(path).open().unwrap();
    let blocks = raw.keyspace("blocks", fjall::KeyspaceCreateOptions::default).unwrap();
    blocks.insert(key, value).unwrap();
}

fn assert_corrupt<T: std::fmt::Debug>(result: Result<T, PortError>, named: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(error.attempt().contains(named), "{error} names {named}");
}

#[test]
fn a_record_without_a_whole_codec_is_corrupt_and_names_its_key() {
    for value in [&[][..], &[0x80], &[0xf1, 0x00], &[0xff; 12]] {
        let folder = tempfile::tempdir().unwrap();
        let (cid, _) = block(1);
        let key = BlockKey::from(&cid);
        plant(folder.path(), key.as_bytes(), value);
        let store = open(folder.path());
        let named = key.to_string();
        assert_corrupt(store.get(&cid), &named);
        assert_corrupt(store.get_many(&[cid]), &named);
        assert_corrupt(store.size(&cid), &named);
        assert_corrupt(store.keys().unwrap().next_batch(&mut vec![], 10), &named);
    }
}

#[test]
fn a_key_that_is_no_multihash_stops_the_scan() {
    let folder = tempfile::tempdir().unwrap();
    plant(folder.path(), b"no multihash", &[0x55]);
    let store = open(folder.path());
    assert_corrupt(store.keys().unwrap().next_batch(&mut vec![], 10), "of hot tier");
}

#[test]
fn a_flipped_bit_in_a_table_is_corrupt_and_names_the_block() {
    let folder = tempfile::tempdir().unwrap();
    let (cid, data) = sized_block(7, 4096);
    let store = open(folder.path());
    put(&store, &[(cid, data.clone())]);
    store.reclaim(ReclaimMode::Full, &Interrupt::new()).unwrap();
    drop(store);
    flip_a_bit_of(folder.path(), &data);
    let store = open(folder.path());
    assert_corrupt(store.get(&cid), &cid.to_string());
    assert_corrupt(store.get_many(&[cid]), &cid.to_string());
    assert_corrupt(store.keys().unwrap().next_batch(&mut vec![], 10), "scan keys");
}

fn flip_a_bit_of(folder: &Path, data: &[u8]) {
    for file in files_below(folder) {
        let bytes = fs::read(&file).unwrap();
        if file.extension().is_none_or(|extension| extension != "jnl")
            && let Some(at) = bytes.windows(64).position(|window| window == &data[100..164])
        {
            let file = fs::OpenOptions::new().write(true).open(file).unwrap();
            file.write_all_at(&[bytes[at] ^ 4], at as u64).unwrap();
            return;
        }
    }
    panic!("the block is in no table");
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = vec![];
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn a_torn_end_of_the_journal_costs_whole_batches_and_opens() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    put(&store, &blocks(0..50));
    put(&store, &blocks(50..100));
    drop(store);
    let last = block(99).1;
    let journal = files_below(folder.path()).into_iter().find(|file| {
        let bytes = fs::read(file).unwrap();
        bytes.windows(last.len()).position(|window| window == last).is_some_and(|at| {
            fs::OpenOptions::new().write(true).open(file).unwrap().set_len(at as u64 + 5).unwrap();
            true
        })
    });
    assert!(journal.is_some(), "the last block is in no journal");
    let store = open(folder.path());
    for (n, (cid, data)) in blocks(0..100).into_iter().enumerate() {
        assert_eq!(store.get(&cid).unwrap(), (n < 50).then_some(data), "block {n}");
    }
}
