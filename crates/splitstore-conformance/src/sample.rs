//! Blocks and keys to test with: the same ones for the same numbers on every machine and in every run.
//!
//! Blocks carry real digests, so that stores which check what they read can be tested with them.

use std::ops::Range;

use cid::Cid;
use cid::multihash::Multihash;
use splitstore_domain::object::{DAG_CBOR, RAW};
use splitstore_domain::{BlockKey, digest};

/// Multihash code of SHA2-512; its keys are 66 bytes.
pub const SHA2_512: u64 = 0x13;
/// Codec of every CIDv0.
pub const DAG_PB: u64 = 0x70;

/// What both SHA-2 samples hash: the first example of FIPS 180-4.
const ABC: &[u8] = b"abc";
const ABC_SHA2_256: [u8; 32] = [
    0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0,
    0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
];
const ABC_SHA2_512: [u8; 64] = [
    0xdd, 0xaf, 0x35, 0xa1, 0x93, 0x61, 0x7a, 0xba, 0xcc, 0x41, 0x73, 0x49, 0xae, 0x20, 0x41, 0x31, 0x12,
    0xe6, 0xfa, 0x4e, 0x89, 0xa9, 0x7e, 0xa2, 0x0a, 0x9e, 0xee, 0xe6, 0x4b, 0x55, 0xd3, 0x9a, 0x21, 0x92,
    0x99, 0x2a, 0x27, 0x4f, 0xc1, 0xa8, 0x36, 0xba, 0x3c, 0x23, 0xa3, 0xfe, 0xeb, 0xbd, 0x45, 0x4d, 0x44,
    0x23, 0x64, 0x3c, 0xe8, 0x0e, 0x2a, 0x9a, 0xc9, 0x4f, 0xa5, 0x4c, 0xa4, 0x9f,
];

/// Block number `n`: a raw blake2b-256 block of 16 to 515 bytes that do not compress.
pub fn block(n: u64) -> (Cid, Vec<u8>) {
    let spread = usize::try_from(n % 500).unwrap_or_default();
    sized_block(n, 16 + spread)
}

/// Block number `n` with this many bytes of data; from 8 bytes on, blocks of other numbers differ.
pub fn sized_block(n: u64, len: usize) -> (Cid, Vec<u8>) {
    let data = noise(n, len);
    (named(RAW, &data), data)
}

/// Blocks of these numbers.
pub fn blocks(numbers: Range<u64>) -> Vec<(Cid, Vec<u8>)> {
    numbers.map(block).collect()
}

/// The CIDv1 of `data` under blake2b-256.
pub fn named(codec: u64, data: &[u8]) -> Cid {
    Cid::new_v1(codec, wrap(digest::BLAKE2B_256, &digest::blake2b_256(data)))
}

/// A DAG-CBOR block: an empty list.
pub fn dag_block() -> (Cid, Vec<u8>) {
    let data = vec![0x80];
    (named(DAG_CBOR, &data), data)
}

/// A block under SHA2-256, by the CIDv1 of a codec.
pub fn sha2_256_block(codec: u64) -> (Cid, Vec<u8>) {
    (Cid::new_v1(codec, wrap(digest::SHA2_256, &ABC_SHA2_256)), ABC.to_vec())
}

/// The same block by its CIDv0.
pub fn cid_v0_block() -> (Cid, Vec<u8>) {
    let cid = Cid::new_v0(wrap(digest::SHA2_256, &ABC_SHA2_256)).expect("a CIDv0 is a sha2-256");
    (cid, ABC.to_vec())
}

/// A block whose key is longer than a blake2b-256 key, under a hash that stores need not be able to check.
pub fn sha2_512_block() -> (Cid, Vec<u8>) {
    (Cid::new_v1(RAW, wrap(SHA2_512, &ABC_SHA2_512)), ABC.to_vec())
}

/// Key number `n`: a blake2b-256 key with evenly spread bytes that belongs to no block.
pub fn key(n: u64) -> BlockKey {
    let digest = noise(n ^ 0xa5a5_a5a5_0000_0000, 32);
    BlockKey::from(&Cid::new_v1(RAW, wrap(digest::BLAKE2B_256, &digest)))
}

/// Keys of these numbers.
pub fn keys(numbers: Range<u64>) -> Vec<BlockKey> {
    numbers.map(key).collect()
}

/// Bytes that look random: `SplitMix64` (Steele, Lea, Flood 2014) seeded with `seed`.
pub fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x2545_f491_4f6c_dd1d);
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

fn wrap(code: u64, digest: &[u8]) -> Multihash<64> {
    Multihash::wrap(code, digest).expect("sample digests have at most 64 bytes")
}
