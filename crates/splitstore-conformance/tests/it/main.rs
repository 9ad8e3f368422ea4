//! The suites against themselves: no clause is forgotten, samples are what they say.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use splitstore_conformance::sample;
use splitstore_domain::{BlockKey, digest};

/// Modules whose public functions are clauses.
const PARTS: [&str; 11] = [
    "blocks",
    "cold",
    "delete",
    "durable",
    "files",
    "maintenance",
    "marks",
    "meta",
    "scan",
    "threads",
    "visits",
];

#[test]
fn every_clause_stands_in_a_suite() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let suites = fs::read_to_string(src.join("suites.rs")).unwrap();
    let listed: BTreeSet<_> = suites.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let mut clauses = 0;
    for part in PARTS {
        let text = fs::read_to_string(src.join(format!("{part}.rs"))).unwrap();
        for line in text.lines().filter_map(|line| line.strip_prefix("pub fn ")) {
            let name = line.split(['(', '<']).next().unwrap();
            assert!(listed.contains(name), "clause {part}::{name} stands in no suite");
            clauses += 1;
        }
    }
    assert!(clauses > 70, "only {clauses} clauses were found: has their form changed?");
}

#[test]
fn sample_blocks_hash_to_their_cids() {
    let mut samples = sample::blocks(0..600);
    samples.extend([sample::dag_block(), sample::cid_v0_block(), sample::sha2_256_block(0x55)]);
    samples.extend([sample::sized_block(0, 0), sample::sized_block(3, 1 << 20)]);
    for (cid, data) in &samples {
        digest::verify(cid, data).unwrap();
    }
    let keys: BTreeSet<_> = samples.iter().map(|(cid, _)| BlockKey::from(cid)).collect();
    assert_eq!(keys.len(), samples.len() - 1, "only the two sha2-256 samples are one block");
}

#[test]
fn samples_are_the_same_in_every_run() {
    let (cid, data) = sample::block(42);
    assert_eq!(data.len(), 58);
    assert_eq!(sample::block(42), (cid, data));
    assert_eq!(
        sample::noise(0, 8),
        0xe220_a839_7b1d_cdaf_u64.to_le_bytes(),
        "SplitMix64's first word from 0"
    );
}

#[test]
fn sample_keys_are_all_different() {
    let keys: BTreeSet<_> = sample::keys(0..120_000).into_iter().collect();
    assert_eq!(keys.len(), 120_000);
}

#[test]
fn the_long_sample_has_a_key_beyond_the_inline_size() {
    let key = BlockKey::from(&sample::sha2_512_block().0);
    assert_eq!(key.as_bytes().len(), 66);
}
