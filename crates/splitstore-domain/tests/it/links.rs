//! What counts as a link, and what is let pass.

use cid::Cid;
use splitstore_domain::digest::{BLAKE2B_256, IDENTITY, SHA2_256};
use splitstore_domain::links::Link;
use splitstore_domain::object::{self, DAG_CBOR, FIL_COMMITMENT_SEALED, FIL_COMMITMENT_UNSEALED, RAW};
use splitstore_domain::{BlockKey, ObjectKind};

use crate::sample::{cid, cid_v0, cids_of, dag, link_to, links_of};

#[test]
fn links_are_reported_in_the_order_they_stand_with_repeats() {
    let [a, b] = ["a", "b"].map(|name| link_to(&dag(name).to_bytes()));
    // [b, {"k": [a]}, 99(b), b]
    let block = [&[0x84], &b[..], &[0xa1, 0x61, b'k', 0x81], &a, &[0xd8, 99], &b, &b].concat();
    assert_eq!(cids_of(&block).unwrap(), [dag("b"), dag("a"), dag("b"), dag("b")]);
}

#[test]
fn a_block_may_be_one_link_or_have_none() {
    assert_eq!(cids_of(&link_to(&dag("a").to_bytes())).unwrap(), [dag("a")]);
    for block in [&[0xf6][..], &[0x80], &[0xa0], &[0x40], &[0x00], &[0xfb, 0, 0, 0, 0, 0, 0, 0, 0]] {
        assert_eq!(cids_of(block).unwrap(), []);
    }
}

#[test]
fn a_link_in_the_key_of_a_map_is_a_link() {
    let block = [&[0xa1], &link_to(&dag("a").to_bytes())[..], &[0xf6]].concat();
    assert_eq!(cids_of(&block).unwrap(), [dag("a")]);
}

#[test]
fn bytes_that_look_like_a_link_inside_a_string_are_none() {
    let link = link_to(&dag("a").to_bytes());
    let len = u8::try_from(link.len()).unwrap();
    for major in [0x58, 0x78] {
        assert_eq!(cids_of(&[&[major, len], &link[..]].concat()).unwrap(), []);
    }
}

#[test]
fn headers_that_are_not_in_their_shortest_form_are_read() {
    let bytes = dag("a").to_bytes();
    let len = u8::try_from(bytes.len() + 1).unwrap();
    let heads: [&[u8]; 4] = [
        &[0x98, 1, 0xd8, 42, 0x59, 0, len, 0],
        &[0x99, 0, 1, 0xd9, 0, 42, 0x5a, 0, 0, 0, len, 0],
        &[0x9a, 0, 0, 0, 1, 0xda, 0, 0, 0, 42, 0x5b, 0, 0, 0, 0, 0, 0, 0, len, 0],
        &[0x9b, 0, 0, 0, 0, 0, 0, 0, 1, 0xdb, 0, 0, 0, 0, 0, 0, 0, 42, 0x58, len, 0],
    ];
    for head in heads {
        assert_eq!(cids_of(&[head, &bytes].concat()).unwrap(), [dag("a")]);
    }
    assert_eq!(cids_of(&[0x18, 5]).unwrap(), []);
}

#[test]
fn invalid_utf8_unordered_keys_and_repeated_keys_are_read() {
    assert_eq!(cids_of(&[0x62, 0xff, 0xfe]).unwrap(), []);
    let link = link_to(&dag("a").to_bytes());
    let block = [&[0xa3, 0x62, b'z', b'z', 0, 0x61, 0xff, 1, 0x61, 0xff], &link[..]].concat();
    assert_eq!(cids_of(&block).unwrap(), [dag("a")]);
}

#[test]
fn unknown_tags_and_simple_values_and_short_floats_are_read() {
    let link = link_to(&dag("a").to_bytes());
    let block =
        [&[0x85, 0xc1, 0x1a, 0, 0, 0, 0, 0xf9, 0x3c, 0, 0xfa, 0, 0, 0, 0, 0xf8, 0xff], &link[..]].concat();
    assert_eq!(cids_of(&block).unwrap(), [dag("a")]);
}

#[test]
fn a_cidv0_link_is_read_as_dag_pb_and_not_opened() {
    let v0 = cid_v0([7; 32]);
    let block = link_to(&v0.to_bytes());
    let links = links_of(&block).unwrap();
    assert_eq!(links[0].cid(), v0);
    assert_eq!(links[0].multihash(), BlockKey::from(&v0).as_bytes());
    assert_eq!((links[0].codec(), links[0].kind()), (0x70, ObjectKind::Opaque));
    assert!(!links[0].is_dag());
}

#[test]
fn the_kind_of_a_link_comes_from_codec_and_hash() {
    let cases = [
        (cid(DAG_CBOR, BLAKE2B_256, &[1; 32]), ObjectKind::Dag),
        (cid(DAG_CBOR, SHA2_256, &[1; 32]), ObjectKind::Dag),
        (cid(RAW, BLAKE2B_256, &[1; 32]), ObjectKind::Opaque),
        (cid(0x0129, SHA2_256, &[1; 32]), ObjectKind::Opaque),
        (cid(RAW, IDENTITY, b"fil/1/cron"), ObjectKind::Identity),
        (cid(DAG_CBOR, IDENTITY, &[0x80]), ObjectKind::Identity),
        (cid(FIL_COMMITMENT_SEALED, 0xb401, &[1; 32]), ObjectKind::Unitary),
        (cid(FIL_COMMITMENT_UNSEALED, 0x1012, &[1; 32]), ObjectKind::Unitary),
        (cid(FIL_COMMITMENT_SEALED, IDENTITY, &[1; 32]), ObjectKind::Unitary),
    ];
    for (cid, kind) in cases {
        let block = link_to(&cid.to_bytes());
        let links = links_of(&block).unwrap();
        assert_eq!((links[0].cid(), links[0].kind(), ObjectKind::of(&cid)), (cid, kind, kind), "{cid}");
        assert_eq!(kind.is_stored(), matches!(kind, ObjectKind::Dag | ObjectKind::Opaque));
    }
}

#[test]
fn an_identity_cid_holds_its_data_and_no_other_does() {
    assert_eq!(object::identity_data(&cid(RAW, IDENTITY, b"fil/1/cron")), Some(&b"fil/1/cron"[..]));
    assert_eq!(object::identity_data(&cid(RAW, IDENTITY, b"")), Some(&b""[..]));
    assert_eq!(object::identity_data(&dag("a")), None);
}

#[test]
fn a_link_borrows_from_its_block() {
    let bytes = dag("a").to_bytes();
    let block = link_to(&bytes);
    let link = links_of(&block).unwrap()[0];
    assert_eq!(link.bytes(), bytes);
    assert_eq!(link.bytes().as_ptr_range(), block[5..].as_ptr_range());
    assert_eq!(link.multihash(), &bytes[2..]);
}

#[test]
fn a_link_must_fill_its_bytes_with_one_shortest_form() {
    let good = dag("a").to_bytes();
    let sha = cid_v0([7; 32]).to_bytes();
    let bad: [Vec<u8>; 11] = [
        vec![],
        vec![1],
        good[..good.len() - 1].to_vec(),
        [&good[..], &[0]].concat(),
        [&[2], &good[1..]].concat(),
        [&[0x81, 0], &good[1..]].concat(),
        [&[1, 0xf1, 0], &good[2..]].concat(),
        [&[1], &[0xff; 10][..], &good[2..]].concat(),
        sha[..33].to_vec(),
        [&sha[..], &[0]].concat(),
        [&[1, 0x55, 0, 65], &[9; 65][..]].concat(),
    ];
    for bytes in bad {
        assert_eq!(Link::parse(&bytes), None, "{bytes:02x?}");
    }
}

#[test]
fn whatever_reads_as_a_link_is_a_cid_of_the_same_bytes() {
    for (codec, hash, digest) in [
        (0, 0, vec![]),
        (DAG_CBOR, IDENTITY, vec![5; 64]),
        (u64::MAX >> 1, u64::MAX >> 1, vec![6; 64]),
        (0x80, 0x3fff, vec![1]),
        (0x70, SHA2_256, vec![2; 32]),
    ] {
        let bytes = cid(codec, hash, &digest).to_bytes();
        let link = Link::parse(&bytes).unwrap();
        assert_eq!(link.cid().to_bytes(), bytes);
        assert_eq!(Cid::try_from(&bytes[..]).unwrap(), link.cid());
    }
}
