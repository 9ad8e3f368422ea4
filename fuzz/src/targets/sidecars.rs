//! What lies beside a file: tombstones and statistics.

use std::path::Path;

use tsm::tombstone::{Scope, encode, read};
use tsm::{Stats, TimeRange, Tombstone};

use super::{LIMITS, Outcome, Target, magnitude, outcome};

pub(super) const TOMBSTONES: Target = Target {
    name: "tombstones",
    run: run_tombstones,
    seeds: tombstones,
    kinds: &["tombstone_v1_file", "tombstone_v2_file", "tombstone_v3_file", "tombstone_v4_file"],
    counted: false,
};
pub(super) const STATS: Target =
    Target { name: "stats", run: run_stats, seeds: stats, kinds: &["tss_file"], counted: false };

fn tombstones() -> Vec<Vec<u8>> {
    let plain = Tombstone::new(b"cpu,host=A#!~#value", TimeRange::new(2, 3));
    let prefix = Tombstone { scope: Scope::Prefix, predicate: Some(b"PRED".to_vec()), ..plain.clone() };
    let v2 = [&b"\x00\x00\x15\x02\x00\x00\x00\x01k"[..], &[0; 16]].concat();
    vec![
        encode(&[]),
        encode(std::slice::from_ref(&plain)),
        encode(&[plain, prefix]),
        v2,
        b"a\n\nbc\r\n".to_vec(),
        Vec::new(),
    ]
}

fn run_tombstones(bytes: &[u8]) -> Outcome {
    let parsed = |bytes: &[u8]| read(bytes, Path::new("fuzzed.tombstone"), LIMITS);
    match parsed(bytes) {
        Ok(file) => {
            let again = parsed(&encode(&file.entries)).expect("it was encoded just now");
            assert_eq!(again.entries, file.entries, "there and back");
            let flags = file.entries.first().map(|entry| (entry.scope, entry.predicate.is_some()));
            outcome(&(file.version, flags, "n".repeat(magnitude(file.entries.len()) as usize)))
        }
        Err(error) => outcome(&error.fault()),
    }
}

fn stats() -> Vec<Vec<u8>> {
    let mut stats = Stats::default();
    let empty = stats.encode();
    stats.add(b"cpu,host=A#!~#value", 75);
    stats.add(b"m\\,em,host=A#!~#used", 1 << 40);
    vec![empty, stats.encode()]
}

/// With the checksum mended, or nothing would ever get past it.
fn run_stats(bytes: &[u8]) -> Outcome {
    let mut mended = bytes.to_vec();
    if let Some(rows) = bytes.get(9..) {
        mended[5..9].copy_from_slice(&tsm::SealedBlock::seal(rows).crc().to_be_bytes());
    }
    assert!(bytes == mended || Stats::decode(bytes).is_err(), "a wrong checksum is noticed");
    match Stats::decode(&mended) {
        Ok(stats) => {
            assert_eq!(Stats::decode(&stats.encode()), Ok(stats.clone()), "there and back");
            outcome(&("rows", "n".repeat(stats.iter().len())))
        }
        Err(fault) => outcome(&fault),
    }
}
