//! Damaged data is an error that names it, never an answer.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use cid::Cid;
use splitstore_conformance::sample::{block, blocks, sized_block};
use splitstore_domain::BlockKey;
use splitstore_ports::{
    BlockRead, BlockReadExt, ErrorKind, Interrupt, KeyScan, Maintenance, PortError, ReclaimMode,
};
use splitstore_rocksdb::{RocksHot, RocksOptions, cut_files};

use crate::sample::{open, put};

/// Writes a record past the adapter, as a fault or a foreign hand would.
fn plant(path: &Path, key: &[u8], value: &[u8]) {
    drop(open(path));
    let raw = rocksdb::DB::open_default(path).unwrap();
    raw.put(key, value).unwrap();
}

/// Makes a store of settled tables.
pub(crate) fn settle(path: &Path, blocks: &[(Cid, Vec<u8>)]) {
    let store = open(path);
    put(&store, blocks);
    store.reclaim(ReclaimMode::Full, &Interrupt::new()).unwrap();
}

fn files(path: &Path, end: &str) -> Vec<PathBuf> {
    let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = names.filter(|path| path.to_string_lossy().contains(end)).collect();
    found.sort_unstable();
    found
}

/// The engine takes a record that does not match its checksum for the end, and removes all tables that it has not read of; it reads some
/// on for ever.
#[test]
fn a_list_of_tables_with_a_turned_bit_is_refused_and_costs_no_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hot");
    let all = blocks(0..40);
    settle(&path, &all);
    drop(open(&path));
    let (manifest, tables) = (files(&path, "MANIFEST-").pop().unwrap(), files(&path, ".sst"));
    let bytes = fs::read(&manifest).unwrap();
    let mut starts = vec![0];
    while let Some(len) = bytes.get(starts[starts.len() - 1] + 4..) {
        let next = starts[starts.len() - 1] + 7 + usize::from(u16::from_le_bytes([len[0], len[1]]));
        if next >= bytes.len() {
            break;
        }
        starts.push(next);
    }
    assert!(starts.len() > 2, "{starts:?}");
    for start in &starts[..starts.len() - 1] {
        // Checksum, length, type, and what it says.
        for (at, bit) in
            [(0, 0), (3, 7), (4, 0), (4, 5), (5, 0), (5, 7), (6, 0), (6, 2), (6, 7), (7, 1), (9, 6)]
        {
            let mut turned = bytes.clone();
            turned[start + at] ^= 1 << bit;
            fs::write(&manifest, &turned).unwrap();
            assert_corrupt(RocksHot::open(&path, RocksOptions::default()), "MANIFEST-");
            assert_eq!(files(&path, ".sst"), tables);
        }
    }
    fs::write(&manifest, &bytes).unwrap();
    let store = open(&path);
    assert!(all.iter().all(|(cid, data)| store.get(cid).unwrap().as_deref() == Some(data)));
}

#[test]
fn a_log_that_does_not_end_with_a_record_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hot");
    let store = open(&path);
    blocks(0..40).chunks(10).for_each(|some| put(&store, some));
    drop(store);
    assert_eq!(cut_files(&path).unwrap(), [""; 0].map(PathBuf::from));
    let log = files(&path, ".log").pop().unwrap();
    let bytes = fs::read(&log).unwrap();
    for at in [0, bytes.len() / 2, bytes.len() - 1] {
        let mut turned = bytes.clone();
        turned[at] ^= 4;
        fs::write(&log, &turned).unwrap();
        assert_eq!(cut_files(&path).unwrap(), std::slice::from_ref(&log));
    }
    fs::write(&log, &bytes[..bytes.len() - 3]).unwrap();
    assert_eq!(cut_files(&path).unwrap(), [log]);
}

/// The engine drops it with all that follows, and removes the log: what is not said by this open nobody says.
#[test]
fn a_log_with_damage_before_sound_records_is_named_by_the_open_that_drops_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hot");
    let all = blocks(0..400);
    let store = open(&path);
    all.chunks(10).for_each(|some| put(&store, some));
    drop(store);
    let log = files(&path, ".log").pop().unwrap();
    let bytes = fs::read(&log).unwrap();
    assert!(bytes.len() > 64 << 10, "{}", bytes.len());
    let cut = bytes.len() - 3;
    fs::write(&log, &bytes[..cut]).unwrap();
    let store = open(&path);
    assert_eq!(store.damaged_logs(), [""; 0].map(PathBuf::from), "a cut end is a kill's");
    assert!(store.has(&all[389].0).unwrap());
    drop(store);
    let log = files(&path, ".log").pop().unwrap();
    fs::write(&log, &bytes).unwrap();
    turn_a_bit(&log, bytes.len() / 2);
    let store = open(&path);
    assert_eq!(store.damaged_logs(), [log]);
    assert!(!store.has(&all[399].0).unwrap());
    drop(store);
    assert_eq!(open(&path).damaged_logs(), [""; 0].map(PathBuf::from));
}

/// The engine ends with the first log that does not end with a record, and drops the later ones too. A kill cuts the last alone.
#[test]
fn a_cut_log_before_another_one_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hot");
    let all = blocks(0..400);
    let store = open(&path);
    put(&store, &all);
    drop(store);
    let log = files(&path, ".log").pop().unwrap();
    let bytes = fs::read(&log).unwrap();
    let number: u64 = log.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    let later = path.join(format!("{:06}.log", number + 1));
    fs::write(&log, &bytes[..bytes.len() - 3]).unwrap();
    fs::write(&later, &bytes).unwrap();
    let store = open(&path);
    assert_eq!(store.damaged_logs(), [log]);
}

fn turn_a_bit(file: &Path, at: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes[at] ^= 4;
    fs::write(file, bytes).unwrap();
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
    settle(folder.path(), &[(cid, data.clone())]);
    flip_a_bit_of(folder.path(), &data);
    let store = open(folder.path());
    assert_corrupt(store.get(&cid), &cid.to_string());
    assert_corrupt(store.get_many(&[cid]), &cid.to_string());
    assert_corrupt(store.keys().unwrap().next_batch(&mut vec![], 10), "scan keys");
}

/// A page holds about eight blocks of a thousand bytes: of 64 blocks one is lost, whatever is read and how often.
#[test]
fn a_flipped_bit_in_a_value_takes_one_block_and_its_neighbours_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let blocks: Vec<_> = (0..64).map(|n| sized_block(n, 1000)).collect();
    settle(folder.path(), &blocks);
    let (lost, data) = &blocks[20];
    flip_a_bit_of(folder.path(), data);
    let store = open(folder.path());
    for _ in 0..2 {
        let error = store.get(lost).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        for (cid, data) in blocks.iter().filter(|(cid, _)| cid != lost) {
            assert_eq!(store.get(cid).unwrap().as_ref(), Some(data));
            assert_eq!(store.get_many(&[*cid]).unwrap(), [Some(data.clone())]);
            assert_eq!(store.size(cid).unwrap(), Some(1000));
            assert!(store.has(cid).unwrap());
        }
        assert_corrupt(store.get_many(&[*lost]), &lost.to_string());
    }
    assert!(
        Maintenance::salvaged(&store) >= 2 * 4 * 3,
        "{} blocks came out of the damaged page",
        store.salvaged()
    );
}

/// Bits of keys, lengths and restarts, too: what is served is right, whatever is damaged.
#[test]
fn any_flipped_bit_of_a_page_costs_what_it_hit_and_serves_nothing_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let blocks: Vec<_> = (0..24).map(|n| sized_block(n, 40)).collect();
    settle(folder.path(), &blocks);
    let (file, at) = place_of(folder.path(), &blocks[0].1);
    let whole = fs::read(&file).unwrap();
    let (mut lost, mut pages) = (0, 0);
    for step in (0..at + 400).step_by(19) {
        let mut damaged = whole.clone();
        damaged[step] ^= 1 << (step % 8);
        fs::write(&file, &damaged).unwrap();
        let store = open(folder.path());
        for (cid, data) in &blocks {
            match store.get(cid) {
                Ok(found) => assert_eq!(found.as_ref(), Some(data), "bit {} of byte {step}", step % 8),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
                    lost += 1;
                }
            }
        }
        pages += u64::from(Maintenance::salvaged(&store) > 0);
    }
    assert!(pages > 8, "{pages} flips were in the page");
    // A length that is wrong hides what stands behind it up to the next restart: 16 entries.
    assert!(lost < 4 * pages, "{lost} blocks were lost to {pages} flips");
}

fn flip_a_bit_of(folder: &Path, data: &[u8]) {
    let (file, at) = place_of(folder, data);
    let bytes = fs::read(&file).unwrap();
    let file = fs::OpenOptions::new().write(true).open(file).unwrap();
    file.write_all_at(&[bytes[at + 20] ^ 4], at as u64 + 20).unwrap();
}

/// In which table data stands, and where.
fn place_of(folder: &Path, data: &[u8]) -> (PathBuf, usize) {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut tables = files.filter(|file| file.extension().is_some_and(|extension| extension == "sst"));
    let place = |file: PathBuf| {
        let bytes = fs::read(&file).unwrap();
        let at = bytes.windows(data.len()).position(|window| window == data)?;
        Some((file, at))
    };
    tables.find_map(place).expect("the block is in a table")
}

#[test]
fn a_torn_end_of_the_log_costs_whole_batches_and_opens() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    put(&store, &blocks(0..50));
    put(&store, &blocks(50..100));
    drop(store);
    for file in fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()) {
        if file.extension().is_some_and(|extension| extension == "log") {
            let len = fs::metadata(&file).unwrap().len();
            fs::OpenOptions::new().write(true).open(file).unwrap().set_len(len - 10).unwrap();
        }
    }
    let store = open(folder.path());
    for (n, (cid, data)) in blocks(0..100).into_iter().enumerate() {
        assert_eq!(store.get(&cid).unwrap(), (n < 50).then_some(data), "block {n}");
    }
}
