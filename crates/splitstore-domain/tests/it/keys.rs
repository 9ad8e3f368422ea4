//! One block, one key.

use std::collections::HashSet;

use proptest::prelude::*;
use splitstore_domain::BlockKey;
use splitstore_domain::digest::{BLAKE2B_256, IDENTITY, SHA2_256};
use splitstore_domain::object::{DAG_CBOR, RAW};

use crate::sample::{cid, cid_v0};

#[test]
fn a_key_takes_40_bytes() {
    assert_eq!(size_of::<BlockKey>(), 40);
}

#[test]
fn cidv0_and_cidv1_of_one_multihash_have_one_key() {
    let v0 = BlockKey::from(&cid_v0([7; 32]));
    assert_eq!(v0, BlockKey::from(&cid(0x70, SHA2_256, &[7; 32])));
    assert_eq!(v0.as_bytes(), [&[0x12, 0x20][..], &[7; 32]].concat());
}

#[test]
fn two_codecs_over_the_same_bytes_have_one_key() {
    let [one, two] = [RAW, DAG_CBOR].map(|codec| BlockKey::from(&cid(codec, BLAKE2B_256, &[7; 32])));
    assert_eq!(one, two);
    assert_eq!(HashSet::from([one, two]).len(), 1);
}

#[test]
fn the_hash_function_is_part_of_the_key() {
    let [one, two] = [SHA2_256, BLAKE2B_256].map(|hash| BlockKey::from(&cid(RAW, hash, &[7; 32])));
    assert_ne!(one, two);
}

#[test]
fn a_key_becomes_the_cidv1_of_the_codec_asked_for() {
    let original = cid(DAG_CBOR, BLAKE2B_256, &[7; 32]);
    let key = BlockKey::from(&original);
    assert_eq!(key.to_cid(DAG_CBOR), original);
    assert_eq!(BlockKey::from(&key.to_cid(RAW)), key);
}

#[test]
fn digests_of_every_length_keep_all_their_bytes() {
    for len in 0..=64_u8 {
        let digest: Vec<u8> = (0..len).collect();
        let key = BlockKey::from(&cid(RAW, IDENTITY, &digest));
        assert_eq!(key.as_bytes(), [&[0, len], &digest[..]].concat());
        assert_eq!(BlockKey::from_bytes(key.as_bytes()).unwrap(), key);
        assert_eq!(key.to_cid(RAW).hash().digest(), digest);
    }
}

#[test]
fn bytes_that_are_not_one_whole_multihash_are_no_key() {
    let good = BlockKey::from(&cid(RAW, BLAKE2B_256, &[7; 32])).as_bytes().to_vec();
    let bad = [
        vec![],
        vec![0x12],
        good[..good.len() - 1].to_vec(),
        [&good[..], &[0]].concat(),
        [&[0x92, 0, 0x20], &[7; 32][..]].concat(),
        [&[0, 65], &[7; 65][..]].concat(),
    ];
    for bytes in bad {
        let error = BlockKey::from_bytes(&bytes).unwrap_err();
        assert_eq!(error.to_string(), format!("{} bytes are no multihash", bytes.len()));
    }
}

#[test]
fn a_key_prints_as_lower_case_hex() {
    let key = BlockKey::from(&cid(RAW, IDENTITY, &[0xab, 0x01]));
    assert_eq!(key.to_string(), "0002ab01");
    assert_eq!(format!("{key:?}"), "BlockKey(0002ab01)");
}

proptest! {
    #[test]
    fn keys_are_ordered_by_their_bytes(
        one in prop::collection::vec(any::<u8>(), 0..=64),
        two in prop::collection::vec(any::<u8>(), 0..=64),
        hashes: (bool, bool),
    ) {
        let hash = |sha| if sha { SHA2_256 } else { IDENTITY };
        let keys = [(&one, hashes.0), (&two, hashes.1)].map(|(digest, sha)| BlockKey::from(&cid(RAW, hash(sha), digest)));
        prop_assert_eq!(keys[0].cmp(&keys[1]), keys[0].as_bytes().cmp(keys[1].as_bytes()));
        prop_assert_eq!(keys[0] == keys[1], keys[0].as_bytes() == keys[1].as_bytes());
    }

    #[test]
    fn whatever_reads_as_a_key_has_those_bytes(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(key) = BlockKey::from_bytes(&bytes) {
            prop_assert_eq!(key.as_bytes(), &bytes);
            prop_assert_eq!(BlockKey::from(&key.to_cid(RAW)), key);
        }
    }
}
