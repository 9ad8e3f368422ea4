//! Data is held against the CID it came under.

use splitstore_domain::digest::{
    BLAKE2B_256, DigestError, IDENTITY, IDENTITY_MAX, SHA2_256, blake2b_256, verify,
};
use splitstore_domain::object::RAW;

use crate::archive;
use crate::sample::cid;

/// SHA2-256 of `abc`, from FIPS 180-2.
const SHA2_ABC: [u8; 32] = [
    0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0,
    0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
];

#[test]
fn data_that_hashes_to_its_cid_passes() {
    assert_eq!(verify(&cid(RAW, SHA2_256, &SHA2_ABC), b"abc"), Ok(()));
    assert_eq!(verify(&cid(RAW, BLAKE2B_256, &blake2b_256(b"abc")), b"abc"), Ok(()));
    assert_eq!(verify(&cid(RAW, IDENTITY, b"abc"), b"abc"), Ok(()));
}

#[test]
fn blake2b_256_is_not_a_cut_blake2b_512() {
    // The well-known CID of the text "a" in Filecoin's tests: bafy2bzacecesrkxghscnq7vatble2hqdvwat6ed23vdu4vvo3uuggsoaya7ki.
    assert_eq!(blake2b_256(b"a")[..4], [0x89, 0x28, 0xaa, 0xe6]);
}

#[test]
fn data_that_hashes_to_something_else_is_an_error_with_cid_and_length() {
    for (hash, digest) in [(SHA2_256, &SHA2_ABC[..]), (BLAKE2B_256, &blake2b_256(b"abc")), (IDENTITY, b"abc")]
    {
        let cid = cid(RAW, hash, digest);
        let error = verify(&cid, b"abd").unwrap_err();
        assert_eq!(error, DigestError::Mismatch { cid, len: 3 });
        assert!(error.to_string().contains(&cid.to_string()), "{error}");
    }
}

#[test]
fn a_digest_that_is_cut_short_does_not_pass() {
    for (hash, digest) in
        [(SHA2_256, &SHA2_ABC[..20]), (BLAKE2B_256, &blake2b_256(b"abc")[..31]), (SHA2_256, &[])]
    {
        assert!(verify(&cid(RAW, hash, digest), b"abc").is_err());
    }
}

#[test]
fn a_hash_that_cannot_be_checked_is_an_error_not_a_pass() {
    for code in [0x13, 0x1012, 0xb401, 0xb240] {
        let cid = cid(RAW, code, &[7; 32]);
        assert_eq!(verify(&cid, b"abc"), Err(DigestError::Unsupported { cid, code }));
    }
}

#[test]
fn the_longest_identity_is_the_longest_digest_a_cid_can_have() {
    let longest = [7; IDENTITY_MAX];
    assert_eq!(verify(&cid(RAW, IDENTITY, &longest), &longest), Ok(()));
    assert!(cid::multihash::Multihash::<64>::wrap(IDENTITY, &[7; IDENTITY_MAX + 1]).is_err());
}

#[test]
fn every_block_of_the_real_archives_hashes_to_its_cid() {
    for name in ["export40.car", "calibnet-genesis.car"] {
        for (cid, mut data) in archive::blocks_of(name) {
            assert_eq!(verify(&cid, &data), Ok(()), "{cid}");
            data.push(0);
            assert!(verify(&cid, &data).is_err(), "{cid}");
        }
    }
}
