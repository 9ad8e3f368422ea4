//! A tipset key as an object of its own.
//!
//! ```text
//!   58 / 59 / 5a + length   CBOR byte string
//!   CID | CID | ..          binary CIDs of the headers, in the order of the key
//! ```
//! Nothing in the chain links to these objects; nodes write them so that Ethereum clients can look a tipset
//! up by one hash. Source: Lotus, `chain/types/tipset_key.go` (`ToStorageBlock`); Forest agrees.

use cid::Cid;
use cid::multihash::Multihash;
use splitstore_domain::TipsetKey;
use splitstore_domain::digest::{BLAKE2B_256, blake2b_256};
use splitstore_domain::object::DAG_CBOR;

const BYTE_STRING: u8 = 2 << 5;

/// The CID (v1, DAG-CBOR, blake2b-256) of the object that holds `key`.
pub fn key_cid(key: &TipsetKey) -> Cid {
    let cids: Vec<u8> = key.cids().iter().flat_map(Cid::to_bytes).collect();
    let mut object = byte_string_header(cids.len() as u64);
    object.extend_from_slice(&cids);
    let hash = Multihash::wrap(BLAKE2B_256, &blake2b_256(&object));
    Cid::new_v1(DAG_CBOR, hash.expect("32 bytes are less than a multihash holds"))
}

/// The header of a byte string of this length in its shortest form.
fn byte_string_header(len: u64) -> Vec<u8> {
    let bytes = len.to_be_bytes();
    let (code, used) = match len {
        0..24 => return vec![BYTE_STRING | bytes[7]],
        24..0x100 => (24, 1),
        0x100..0x1_0000 => (25, 2),
        0x1_0000..0x1_0000_0000 => (26, 4),
        _ => (27, 8),
    };
    let mut header = vec![BYTE_STRING | code];
    header.extend_from_slice(&bytes[8 - used..]);
    header
}
