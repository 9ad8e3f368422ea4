//! Our scan against the decoder that the ecosystem uses.

use std::collections::BTreeMap;

use cid::Cid;
use ipld_core::codec::Links;
use ipld_core::ipld::Ipld;
use proptest::prelude::*;
use serde_ipld_dagcbor::codec::DagCborCodec;
use splitstore_domain::digest::{BLAKE2B_256, IDENTITY, SHA2_256};
use splitstore_domain::object::{DAG_CBOR, FIL_COMMITMENT_SEALED, RAW};

use crate::archive;
use crate::sample::{cid, cid_v0, cids_of};

/// What the other decoder finds, in the order it stands; `None` where it refuses the block.
pub(crate) fn reference(block: &[u8]) -> Option<Vec<Cid>> {
    let whole: Ipld = serde_ipld_dagcbor::from_slice(block).ok()?;
    let links: Vec<Cid> = DagCborCodec::links(block).ok()?.collect();
    let mut of_whole = Vec::new();
    whole.references(&mut of_whole);
    assert_eq!(of_whole.len(), links.len(), "the other decoder disagrees with itself");
    Some(links)
}

fn any_cid() -> impl Strategy<Value = Cid> {
    prop_oneof![
        any::<[u8; 32]>().prop_map(|digest| cid(DAG_CBOR, BLAKE2B_256, &digest)),
        any::<[u8; 32]>().prop_map(|digest| cid(RAW, SHA2_256, &digest)),
        any::<[u8; 32]>().prop_map(|digest| cid(FIL_COMMITMENT_SEALED, 0xb401, &digest)),
        any::<[u8; 32]>().prop_map(cid_v0),
        prop::collection::vec(any::<u8>(), 0..=64).prop_map(|data| cid(DAG_CBOR, IDENTITY, &data)),
        (0..u64::MAX >> 1, 0..u64::MAX >> 1, prop::collection::vec(any::<u8>(), 0..=64))
            .prop_map(|(codec, hash, digest)| cid(codec, hash, &digest)),
    ]
}

fn any_ipld() -> impl Strategy<Value = Ipld> {
    let leaf = prop_oneof![
        Just(Ipld::Null),
        any::<bool>().prop_map(Ipld::Bool),
        any::<i64>().prop_map(|value| Ipld::Integer(value.into())),
        any::<u64>().prop_map(|value| Ipld::Integer(value.into())),
        (-1e30..1e30).prop_map(Ipld::Float),
        ".{0,40}".prop_map(Ipld::String),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Ipld::Bytes),
        any_cid().prop_map(Ipld::Link),
        any_cid().prop_map(Ipld::Link),
    ];
    leaf.prop_recursive(8, 128, 30, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..30).prop_map(Ipld::List),
            prop::collection::btree_map(".{0,8}", inner, 0..30).prop_map(Ipld::Map),
        ]
    })
}

proptest! {
    #[test]
    fn drawn_blocks_have_the_links_that_were_put_into_them(ipld in any_ipld()) {
        let block = serde_ipld_dagcbor::to_vec(&ipld).unwrap();
        let (ours, mut drawn) = (cids_of(&block).unwrap(), Vec::new());
        ipld.references(&mut drawn);
        prop_assert_eq!(Some(ours.clone()), reference(&block));
        prop_assert_eq!(counted(ours), counted(drawn));
    }

    #[test]
    fn each_truncation_of_a_drawn_block_is_an_error(ipld in any_ipld(), cut in any::<prop::sample::Index>()) {
        let block = serde_ipld_dagcbor::to_vec(&ipld).unwrap();
        prop_assert!(cids_of(&block[..cut.index(block.len())]).is_err());
    }
}

/// The encoder orders keys its own way: compare without order.
fn counted(cids: Vec<Cid>) -> BTreeMap<Cid, usize> {
    cids.into_iter().fold(BTreeMap::new(), |mut counts, cid| {
        *counts.entry(cid).or_default() += 1;
        counts
    })
}

#[test]
fn every_block_of_the_real_archives_has_the_same_links() {
    let mut links = 0;
    let dags = archive::dags();
    for (cid, block) in &dags {
        let ours = cids_of(block).unwrap();
        links += ours.len();
        assert_eq!(Some(ours), reference(block), "{cid}");
    }
    println!("{} blocks, {links} links", dags.len());
    assert!(dags.is_empty() || links > dags.len());
}

#[test]
fn each_truncation_of_a_real_block_is_an_error_within_what_is_left() {
    for (cid, block) in archive::dags().iter().filter(|(_, block)| block.len() <= 1500) {
        for cut in 0..block.len() {
            let error = cids_of(&block[..cut]).unwrap_err();
            assert!(error.offset <= cut, "{cid} cut at {cut}: {error}");
        }
    }
}
