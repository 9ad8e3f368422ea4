//! Headers: what is taken, what is refused and why.

use splitstore_car::CarError;

use crate::sample::{blake_cid, blocks, car_v1, car_v2, read, v2_header};

/// A header with its length (below 128) before it.
fn prefixed(cbor: &[u8]) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(cbor.len()).unwrap()];
    bytes.extend_from_slice(cbor);
    bytes
}

fn refusal(cbor: &[u8]) -> String {
    read(&prefixed(cbor)).refusal().to_string()
}

#[test]
fn malformed_headers_are_refused_with_the_reason() {
    let cases: [(&[u8], &str); 14] = [
        (b"", "an item reaches past the header"),
        (b"\xa1\x67version\x01", "no roots"),
        (b"\xa1\x65roots\x80", "no version"),
        (b"\xa2\x65roots\x80\x67version\x02", "version 2 with roots"),
        (b"\xa2\x65roots\x80\x67version\x01\x00", "bytes follow the map"),
        (b"\xa2\x65roots\x80\x65roots\x80", "there twice"),
        (b"\xa3\x65roots\x80\x67version\x01\x61x\x00", "neither roots nor version"),
        (b"\xa2\x65roots\x80\x67version\x18\x01", "not in its shortest form"),
        (b"\xbf\x65roots\x80\x67version\x01\xff", "indefinite length"),
        (b"\xa2\x65roots\x9f\xff\x67version\x01", "indefinite length"),
        (b"\xa2\x65roots\xa0\x67version\x01", "another CBOR type"),
        (b"\xa2\x65roots\x81\xd8\x2b\x41\x00\x67version\x01", "a root is not a CID"),
        (b"\xa2\x65roots\x81\xd8\x2a\x41\x01\x67version\x01", "lacks its 0x00 prefix"),
        (
            b"\xa2\x65roots\x81\xd8\x2a\x46\x00\x01\x55\x00\x00\x00\x67version\x01",
            "bytes follow a root's CID",
        ),
    ];
    for (cbor, reason) in cases {
        let message = refusal(cbor);
        assert!(message.contains(reason), "{cbor:02x?}: {message}");
        assert!(message.contains("sample.car, offset 0 of the uncompressed CAR stream"), "{message}");
    }
}

#[test]
fn other_versions_are_refused_by_number() {
    for version in [0, 3, 23] {
        let mut cbor = b"\xa2\x65roots\x80\x67version".to_vec();
        cbor.push(version);
        let error = read(&prefixed(&cbor)).refusal();
        let CarError::UnsupportedVersion { version: found, .. } = error else { panic!("{error}") };
        assert_eq!(found, u64::from(version));
    }
}

#[test]
fn a_v2_inside_a_v2_is_refused() {
    let inner = car_v2(&car_v1(&blocks()), 0);
    let error = read(&car_v2(&inner, 0)).refusal();
    let CarError::UnsupportedVersion { at, version: 2 } = error else { panic!("{error}") };
    assert_eq!(at.offset, 51);
}

#[test]
fn zero_roots_and_either_order_of_the_fields_are_taken() {
    for cbor in [&b"\xa2\x65roots\x80\x67version\x01"[..], b"\xa2\x67version\x01\x65roots\x80"] {
        let outcome = read(&prefixed(cbor));
        assert!(outcome.error.is_none(), "{:?}", outcome.error);
        assert!(outcome.roots.is_empty() && outcome.blocks.is_empty());
    }
}

#[test]
fn v2_headers_that_contradict_themselves_are_refused() {
    let cases = [
        (v2_header(50, 100, 0), "inside the CARv2 header"),
        (v2_header(51, 0, 0), "data size is zero"),
        (v2_header(u64::MAX, 100, 0), "exceed 2^64"),
        (v2_header(51, 100, 150), "before the data ends"),
    ];
    for (bytes, reason) in cases {
        let message = read(&bytes).refusal().to_string();
        assert!(message.contains(reason) && message.contains("offset 11 of"), "{message}");
    }
}

#[test]
fn many_roots_survive_the_round_trip() {
    let roots: Vec<_> = (0..300_u16).map(|n| blake_cid(0x71, &n.to_le_bytes())).collect();
    let bytes = splitstore_car::CarWriter::new(Vec::new(), &roots).unwrap().finish().unwrap();
    assert_eq!(read(&bytes).roots, roots);
}

#[test]
fn too_many_roots_are_not_written() {
    let roots = vec![blake_cid(0x71, b""); 16_385];
    let error = splitstore_car::CarWriter::new(Vec::new(), &roots).unwrap_err();
    assert!(matches!(error, CarError::TooLarge { what: "roots", limit: 16_384, .. }), "{error}");
}
