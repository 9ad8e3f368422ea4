//! Blocks that lie, end early, nest without end or hide links.

use proptest::prelude::*;
use splitstore_domain::links::{DEPTH_MAX, Fault, Link, LinkError, scan_links};

use crate::sample::{cids_of, dag, link_to};

fn refusal(block: &[u8]) -> (usize, Fault) {
    let LinkError { offset, fault } = cids_of(block).unwrap_err();
    (offset, fault)
}

#[test]
fn each_truncation_of_a_block_is_an_error_within_what_is_left() {
    let link = link_to(&dag("a").to_bytes());
    let head = [0x85, 0x19, 1, 0, 0x43, 1, 2, 3, 0xa1, 0x61, b'k', 0xfb, 0, 0, 0, 0, 0, 0, 0, 0, 0xc1, 0x20];
    let block = [&head[..], &link].concat();
    assert_eq!(cids_of(&block).unwrap(), [dag("a")]);
    for cut in 0..block.len() {
        let (offset, fault) = refusal(&block[..cut]);
        assert_eq!(fault, Fault::Truncated, "cut at {cut}");
        assert!(offset <= cut, "cut at {cut}: offset {offset}");
    }
}

#[test]
fn an_empty_block_is_truncated() {
    assert_eq!(refusal(&[]), (0, Fault::Truncated));
}

#[test]
fn a_container_that_claims_more_than_there_is_is_refused_at_its_header() {
    assert_eq!(
        refusal(&[0x81, 0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0]),
        (1, Fault::Truncated)
    );
    assert_eq!(refusal(&[0x82, 0xbb, 0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0]), (1, Fault::Truncated));
    assert_eq!(refusal(&[0x9a, 0xff, 0xff, 0xff, 0xff]), (0, Fault::Truncated));
    assert_eq!(refusal(&[0xa2, 0, 0, 0]), (0, Fault::Truncated));
}

#[test]
fn a_string_that_claims_more_than_there_is_is_refused_at_its_payload() {
    assert_eq!(
        refusal(&[0x81, 0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        (10, Fault::Truncated)
    );
    assert_eq!(refusal(&[0x43, 1, 2]), (1, Fault::Truncated));
}

#[test]
fn indefinite_lengths_and_reserved_headers_are_refused_with_their_position() {
    for head in [0x5f, 0x7f, 0x9f, 0xbf, 0xff, 0x1c, 0x3d, 0x5e, 0xfc, 0xdf] {
        assert_eq!(refusal(&[0x82, 0x00, head, 0xff]), (2, Fault::BadHeader), "{head:02x}");
    }
}

#[test]
fn bytes_behind_the_one_item_are_an_error_at_the_first_of_them() {
    assert_eq!(refusal(&[0x80, 0x00]), (1, Fault::Trailing));
    let link = link_to(&dag("a").to_bytes());
    assert_eq!(refusal(&[&link[..], &link].concat()), (link.len(), Fault::Trailing));
}

#[test]
fn tag_42_without_bytes_is_an_error() {
    for item in [&[0x00][..], &[0x61, b'a'], &[0x81, 0x41, 0], &[0xf6], &[0xd8, 42, 0x41, 0]] {
        assert_eq!(refusal(&[&[0x81, 0xd8, 42], item].concat()), (3, Fault::NotBytes));
    }
}

#[test]
fn a_link_that_is_no_cid_is_an_error_at_its_bytes() {
    let good = dag("a").to_bytes();
    assert_eq!(refusal(&link_to(&good[1..])), (2, Fault::BadCid));
    assert_eq!(refusal(&link_to(&[&good[..], &[0]].concat())), (2, Fault::BadCid));
    assert_eq!(refusal(&[0xd8, 42, 0x40]), (2, Fault::BadCid));
    let mut other_multibase = link_to(&good);
    other_multibase[4] = b'b';
    assert_eq!(refusal(&other_multibase), (2, Fault::BadCid));
}

#[test]
fn as_many_containers_may_be_open_as_the_limit_says_and_no_more() {
    assert_eq!(DEPTH_MAX, 256);
    for opener in [&[0x81][..], &[0xa1, 0x00], &[0xc1]] {
        for (depth, deep) in [(255, false), (256, false), (257, true)] {
            let block = [opener.repeat(depth), vec![0x00]].concat();
            let expected = Err(LinkError { offset: DEPTH_MAX * opener.len(), fault: Fault::TooDeep });
            let scanned = scan_links(&block, |_| {});
            assert_eq!(scanned, if deep { expected } else { Ok(()) }, "{depth} times {opener:02x?}");
        }
    }
}

#[test]
fn a_link_at_the_deepest_place_is_found() {
    let block = [vec![0x81; DEPTH_MAX], link_to(&dag("a").to_bytes())].concat();
    assert_eq!(cids_of(&block).unwrap(), [dag("a")]);
}

#[test]
fn a_million_nested_arrays_are_too_deep_and_cost_no_stack() {
    assert_eq!(refusal(&vec![0x81; 1_000_000]), (DEPTH_MAX, Fault::TooDeep));
}

#[test]
fn depth_is_what_is_open_not_what_was_opened() {
    let block = [&[0x99, 0x27, 0x10][..], &[0x81, 0x00].repeat(10_000)].concat();
    assert_eq!(cids_of(&block).unwrap(), []);
}

#[test]
fn links_before_a_fault_were_reported_and_the_fault_still_is_an_error() {
    let block = [&[0x82], &link_to(&dag("a").to_bytes())[..], &[0xff]].concat();
    let mut seen = 0;
    let error = scan_links(&block, |_| seen += 1).unwrap_err();
    assert_eq!((seen, error.fault, error.offset), (1, Fault::BadHeader, block.len() - 1));
}

#[test]
fn an_error_prints_its_position_and_its_cause() {
    assert_eq!(
        cids_of(&[0x9f]).unwrap_err().to_string(),
        "malformed dag-cbor at byte 0: reserved or indefinite item header"
    );
}

proptest! {
    #[test]
    fn random_bytes_never_panic_and_errors_lie_inside_the_block(block in prop::collection::vec(any::<u8>(), 0..512)) {
        if let Err(error) = cids_of(&block) {
            prop_assert!(error.offset <= block.len());
        }
    }

    #[test]
    fn random_bytes_in_tag_42_are_a_cid_of_those_bytes_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        if let Some(link) = Link::parse(&bytes) {
            prop_assert_eq!(link.cid().to_bytes(), bytes);
        }
    }

    #[test]
    fn bytes_shaped_like_a_cid_are_one_or_none(
        codec in prop::collection::vec(any::<u8>(), 1..11),
        hash in prop::collection::vec(any::<u8>(), 1..11),
        digest in prop::collection::vec(any::<u8>(), 0..66),
    ) {
        let len = u8::try_from(digest.len()).unwrap();
        let bytes = [&[1], &codec[..], &hash, &[len], &digest].concat();
        if let Some(link) = Link::parse(&bytes) {
            prop_assert_eq!(link.cid().to_bytes(), bytes);
        }
    }
}
