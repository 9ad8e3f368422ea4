//! Tombstones of all versions are read, and none is ever lost by adding to them.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::Value;
use tsm::tombstone::{Scope, Version, add, encode, load, path_of, read};
use tsm::{Fault, IoKind, Limits, Refusal, TimeRange, Tombstone, Tombstones};

use crate::data;

fn number(value: &Value) -> i64 {
    value.as_str().unwrap().parse().unwrap()
}

fn golden(vector: &Value) -> Vec<Tombstone> {
    let entry = |entry: &Value| Tombstone {
        key: entry["key"].as_str().unwrap().as_bytes().to_vec(),
        times: TimeRange::new(number(&entry["min"]), number(&entry["max"])),
        scope: if entry["prefix"] == true { Scope::Prefix } else { Scope::Key },
        predicate: entry["predicate"]
            .as_str()
            .filter(|text| !text.is_empty())
            .map(|_| data::hex(&entry["predicate"])),
    };
    vector["entries"].as_array().unwrap().iter().map(entry).collect()
}

type Golden = (Version, Vec<u8>, Vec<Tombstone>);

/// Bytes and entries of every golden tombstone file.
fn all_golden() -> Option<Vec<Golden>> {
    let mut all = Vec::new();
    for (kind, version) in [
        ("tombstone_v1_file", Version::V1),
        ("tombstone_v2_file", Version::V2),
        ("tombstone_v3_file", Version::V3),
        ("tombstone_v4_file", Version::V4),
    ] {
        let vectors = data::vectors(kind)?;
        all.extend(vectors.iter().map(|vector| (version, data::hex(&vector["hex"]), golden(vector))));
    }
    Some(all)
}

fn parsed(bytes: &[u8]) -> Result<Vec<Tombstone>, Fault> {
    let file = read(bytes, Path::new("a.tombstone"), Limits::default());
    file.map(|file| file.entries).map_err(|error| {
        assert!(error.to_string().contains("a.tombstone"), "{error}");
        error.fault().unwrap().clone()
    })
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn tsm(&self) -> PathBuf {
        self.0.path().join("000000001-000000001.tsm")
    }

    fn holding(bytes: &[u8]) -> Self {
        let folder = Self::new();
        fs::write(path_of(&folder.tsm()), bytes).unwrap();
        folder
    }

    fn entries(&self) -> Vec<Tombstone> {
        load(&self.tsm(), Limits::default()).unwrap().map_or_else(Vec::new, |file| file.entries)
    }
}

fn one() -> Tombstone {
    Tombstone::new(b"new,key=1#!~#f", TimeRange::new(-5, 5))
}

#[test]
fn every_version_that_influxdb_wrote_is_read() {
    let Some(all) = all_golden() else { return };
    assert_eq!(all.len(), 5);
    for (version, bytes, entries) in all {
        let file = read(bytes.as_slice(), Path::new("a.tombstone"), Limits::default()).unwrap();
        assert_eq!((file.version, file.entries), (version, entries));
    }
}

#[test]
fn adding_to_any_version_keeps_all_that_was_there() {
    let Some(all) = all_golden() else { return };
    for (version, bytes, mut entries) in all {
        let folder = Folder::holding(&bytes);
        add(&folder.tsm(), &[one()], Limits::default()).unwrap();
        entries.push(one());
        assert_eq!(folder.entries(), entries, "{version:?}");
        assert_eq!(&fs::read(path_of(&folder.tsm())).unwrap()[..4], b"\x00\x00\x15\x04");
        assert_eq!(folder.0.path().read_dir().unwrap().count(), 1, "no `.tmp` is left");
    }
}

#[test]
fn a_file_without_bytes_holds_nothing_and_can_be_added_to() {
    for bytes in [&b""[..], b"\n", b"\x00\x00\x15\x02", b"\x00\x00\x15\x03", b"\x00\x00\x15\x04"] {
        let folder = Folder::holding(bytes);
        assert_eq!(folder.entries(), []);
        add(&folder.tsm(), &[one()], Limits::default()).unwrap();
        assert_eq!(folder.entries(), [one()]);
    }
}

#[test]
fn no_file_means_no_tombstones_and_the_first_delete_makes_one() {
    let folder = Folder::new();
    assert!(Tombstones::load(&folder.tsm(), Limits::default()).unwrap().is_empty());
    add(&folder.tsm(), &[one()], Limits::default()).unwrap();
    let all = Tombstones::load(&folder.tsm(), Limits::default()).unwrap();
    assert_eq!(all.ranges(&one().key), [one().times]);
}

#[test]
fn a_delete_that_is_there_already_is_not_written_twice() {
    let folder = Folder::new();
    add(&folder.tsm(), &[one(), one()], Limits::default()).unwrap();
    add(&folder.tsm(), &[one()], Limits::default()).unwrap();
    assert_eq!(folder.entries(), [one()]);
}

#[test]
fn a_left_over_of_a_crash_is_neither_read_nor_in_the_way() {
    let folder = Folder::new();
    let temporary = folder.tsm().with_extension("tombstone.tmp");
    fs::write(&temporary, "torn").unwrap();
    assert_eq!(folder.entries(), []);
    add(&folder.tsm(), &[one()], Limits::default()).unwrap();
    assert_eq!(folder.entries(), [one()]);
    assert!(!temporary.exists());
}

#[test]
fn what_cannot_be_written_leaves_the_old_file_as_it_was() {
    let folder = Folder::holding(&encode(&[one()]));
    let before = fs::read(path_of(&folder.tsm())).unwrap();
    let long = Tombstone::new(&vec![b'k'; 65_536], TimeRange::ALL);
    let reversed = Tombstone::new(b"k", TimeRange::new(2, 1));
    for (tombstone, refusal) in
        [(long, Refusal::KeyTooLong { len: 65_536 }), (reversed, Refusal::TimesReversed { min: 2, max: 1 })]
    {
        let error = add(&folder.tsm(), &[one(), tombstone], Limits::default()).unwrap_err();
        assert_eq!(error.refusal(), Some(&refusal));
    }
    // A folder where the temporary file should be: the system refuses.
    fs::create_dir(folder.tsm().with_extension("tombstone.tmp")).unwrap();
    assert!(add(&folder.tsm(), &[Tombstone::new(b"k", TimeRange::ALL)], Limits::default()).is_err());
    assert_eq!(fs::read(path_of(&folder.tsm())).unwrap(), before);
}

#[test]
fn damage_is_an_error_and_nothing_is_added_to_it() {
    let folder = Folder::holding(b"\x00\x00\x15\x02\x00\x00\x00\x03cp");
    let error = add(&folder.tsm(), &[one()], Limits::default()).unwrap_err();
    assert_eq!(error.fault(), Some(&Fault::Truncated { what: "a tombstone" }));
    assert_eq!(fs::read(path_of(&folder.tsm())).unwrap(), b"\x00\x00\x15\x02\x00\x00\x00\x03cp");
}

#[test]
fn a_folder_that_is_not_there_is_told_from_one_that_is_full() {
    let error = add(Path::new("no/such/folder/1-1.tsm"), &[one()], Limits::default()).unwrap_err();
    assert_eq!(error.io_kind(), Some(IoKind::Missing));
    assert!(error.to_string().contains("no/such/folder/1-1.tombstone.tmp"), "{error}");
}

#[test]
fn a_tombstone_with_a_predicate_is_kept_but_not_applied_to_the_wrong_keys() {
    let predicate = Tombstone { predicate: Some(b"PRED".to_vec()), scope: Scope::Prefix, ..one() };
    let folder = Folder::holding(&encode(std::slice::from_ref(&predicate)));
    add(&folder.tsm(), &[one()], Limits::default()).unwrap();
    assert_eq!(folder.entries(), [predicate, one()]);
    let error = Tombstones::load(&folder.tsm(), Limits::default()).unwrap_err();
    assert!(error.to_string().contains("predicate") && error.at().key.is_some(), "{error}");
}

#[test]
fn what_is_no_tombstone_file_says_why() {
    let entry = |len: u32, key: &[u8]| [&len.to_be_bytes(), key, &[0; 16]].concat();
    let v2 = |body: &[u8]| [b"\x00\x00\x15\x02", body].concat();
    let long = Fault::Tombstone { what: "a key has more than 65535 bytes" };
    assert_eq!(parsed(b"\x00\x00\x15\x05").unwrap_err(), Fault::Version { found: 5 });
    assert_eq!(parsed(&v2(&entry(65_536, &vec![b'k'; 65_536]))).unwrap_err(), long);
    assert_eq!(parsed(&v2(&entry(1 << 31 | 1, b"k"))).unwrap_err(), long);
    assert_eq!(parsed(&v2(&entry(65_535, &vec![b'k'; 65_535]))).unwrap().len(), 1);
    assert_eq!(parsed(&v2(b"\0\0")).unwrap_err(), Fault::Truncated { what: "a tombstone" });
    assert_eq!(parsed(&vec![b'k'; 65_536]).unwrap_err(), long);
    assert!(matches!(parsed(b"\x00\x00\x15\x04junk").unwrap_err(), Fault::Gzip(_) | Fault::Truncated { .. }));
    assert_eq!(parsed(b"a\r\n\nb").unwrap().len(), 2);
}

#[test]
fn every_cut_and_every_flip_of_a_zipped_file_is_an_error_or_the_same_entries() {
    let entries = [one(), Tombstone::new(b"k", TimeRange::ALL)];
    let bytes = encode(&entries);
    for len in 5..bytes.len() {
        assert!(parsed(&bytes[..len]).is_err(), "{len} bytes");
    }
    for bit in 32..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        // gzip's header has bits that mean nothing, such as its time.
        if let Ok(read) = parsed(&damaged) {
            assert_eq!(read, entries, "bit {bit}");
        }
    }
}

#[test]
fn a_gzip_bomb_is_refused_at_the_limit() {
    let mut zipped = flate2::write::GzEncoder::new(b"\x00\x00\x15\x04".to_vec(), flate2::Compression::best());
    let entry = [&65_000_u32.to_be_bytes()[..], &vec![b'k'; 65_000], &[0; 16]].concat();
    (0..200).for_each(|_| std::io::Write::write_all(&mut zipped, &entry).unwrap());
    let bytes = zipped.finish().unwrap();
    assert!(bytes.len() < 200_000);
    let limits = Limits { tombstone_bytes: 1 << 20, ..Limits::default() };
    let error = read(bytes.as_slice(), Path::new("bomb"), limits).unwrap_err();
    assert!(matches!(error.fault(), Some(Fault::OverLimit { .. })), "{error}");
}

fn tombstone() -> impl Strategy<Value = Tombstone> {
    let key = proptest::collection::vec(any::<u8>(), 0..20);
    (key, any::<i64>(), any::<i64>(), any::<bool>(), any::<Option<[u8; 3]>>()).prop_map(
        |(key, a, b, prefix, predicate)| Tombstone {
            key,
            times: TimeRange::new(a.min(b), a.max(b)),
            scope: if prefix { Scope::Prefix } else { Scope::Key },
            predicate: predicate.map(|bytes| bytes.to_vec()),
        },
    )
}

proptest! {
    #[test]
    fn any_entries_come_back(entries in proptest::collection::vec(tombstone(), 0..20)) {
        prop_assert_eq!(parsed(&encode(&entries)), Ok(entries));
    }

    #[test]
    fn any_bytes_are_entries_or_a_fault(bytes in proptest::collection::vec(any::<u8>(), 0..200), version in 1_u8..5) {
        let _ = parsed(&[&[0, 0, 0x15, version], &bytes[..]].concat());
        let _ = parsed(&bytes);
    }

    #[test]
    fn ranges_of_a_key_are_the_union_of_its_deletes(
        deletes in proptest::collection::vec((0_i64..40, 0_i64..40), 0..8),
    ) {
        let folder = Folder::new();
        let deletes: Vec<_> = deletes.into_iter().map(|(a, b)| TimeRange::new(a.min(b), a.max(b))).collect();
        let entries: Vec<_> = deletes.iter().map(|times| Tombstone::new(b"k", *times)).collect();
        fs::write(path_of(&folder.tsm()), encode(&entries)).unwrap();
        let all = Tombstones::load(&folder.tsm(), Limits::default()).unwrap();
        let ranges = all.ranges(b"k");
        for time in -1..42 {
            let deleted = deletes.iter().any(|range| range.contains(time));
            prop_assert_eq!(ranges.iter().any(|range| range.contains(time)), deleted);
        }
        prop_assert!(ranges.windows(2).all(|pair| pair[0].max + 1 < pair[1].min));
        prop_assert!(all.ranges(b"l").is_empty());
    }
}
