//! CIDs, links and items to build blocks from.

use cid::Cid;
use cid::multihash::Multihash;
use splitstore_domain::digest::{BLAKE2B_256, SHA2_256, blake2b_256};
use splitstore_domain::links::{Link, LinkError, scan_links};
use splitstore_domain::object::DAG_CBOR;

/// A v1 CID over blake2b-256 of `data`.
pub(crate) fn cid_of(data: &[u8], codec: u64) -> Cid {
    cid(codec, BLAKE2B_256, &blake2b_256(data))
}

pub(crate) fn dag(name: &str) -> Cid {
    cid_of(name.as_bytes(), DAG_CBOR)
}

pub(crate) fn cid(codec: u64, hash: u64, digest: &[u8]) -> Cid {
    Cid::new_v1(codec, Multihash::wrap(hash, digest).unwrap())
}

/// A v0 CID with this digest.
pub(crate) fn cid_v0(digest: [u8; 32]) -> Cid {
    Cid::new_v0(Multihash::wrap(SHA2_256, &digest).unwrap()).unwrap()
}

/// Tag 42 around the bytes of a CID.
pub(crate) fn link_to(cid: &[u8]) -> Vec<u8> {
    let len = u8::try_from(cid.len() + 1).unwrap();
    [&[0xd8, 42, 0x58, len, 0], cid].concat()
}

/// The links of a block in the order they stand.
pub(crate) fn links_of(block: &[u8]) -> Result<Vec<Link<'_>>, LinkError> {
    let mut links = Vec::new();
    scan_links(block, |link| links.push(link))?;
    Ok(links)
}

/// The same as CIDs.
pub(crate) fn cids_of(block: &[u8]) -> Result<Vec<Cid>, LinkError> {
    Ok(links_of(block)?.iter().map(Link::cid).collect())
}
