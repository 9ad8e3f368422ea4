//! Headers encoded by hand, each field replaceable by any bytes.

use cid::Cid;
use cid::multihash::Multihash;
use splitstore_domain::digest::{BLAKE2B_256, blake2b_256};
use splitstore_domain::object::DAG_CBOR;

/// The names of the 16 fields as errors give them.
pub(crate) const FIELDS: [&str; 16] = [
    "miner",
    "ticket",
    "election proof",
    "beacon entries",
    "post proofs",
    "parents",
    "parent weight",
    "height",
    "parent state root",
    "parent receipts",
    "messages",
    "bls aggregate",
    "timestamp",
    "block signature",
    "fork signaling",
    "parent base fee",
];

/// A header as the encodings of its fields.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) fields: Vec<Vec<u8>>,
}

impl Draft {
    /// A plain header of this height; its ticket is its name.
    pub(crate) fn new(name: &str, height: u64, parents: &[Cid]) -> Self {
        let proof = || [array(2), uint(1), bytes(b"proof")].concat();
        let links: Vec<u8> = parents.iter().flat_map(link).collect();
        let fields = vec![
            bytes(&[0, 0xe8, 0x07]),
            [array(1), bytes(name.as_bytes())].concat(),
            proof(),
            [array(1), proof()].concat(),
            [array(2), proof(), proof()].concat(),
            [array(parents.len() as u64), links].concat(),
            bytes(&[0, 1]),
            uint(height),
            link(&cid_of(b"state")),
            link(&cid_of(b"receipts")),
            link(&cid_of(b"messages")),
            bytes(&[2; 97]),
            uint(1_600_000_000 + 30 * height),
            bytes(&[2; 97]),
            uint(0),
            bytes(&[0, 100]),
        ];
        Self { fields }
    }

    /// The same with one field, by its name, encoded as `encoding`.
    pub(crate) fn with(mut self, field: &str, encoding: Vec<u8>) -> Self {
        let index = FIELDS.iter().position(|name| *name == field).expect("one of the 16");
        self.fields[index] = encoding;
        self
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        [array(self.fields.len() as u64), self.fields.concat()].concat()
    }

    /// Where a field starts in the encoding.
    pub(crate) fn offset_of(&self, field: usize) -> usize {
        1 + self.fields[..field].iter().map(Vec::len).sum::<usize>()
    }

    pub(crate) fn cid(&self) -> Cid {
        cid_of(&self.encode())
    }
}

pub(crate) fn cid_of(data: &[u8]) -> Cid {
    Cid::new_v1(DAG_CBOR, Multihash::wrap(BLAKE2B_256, &blake2b_256(data)).unwrap())
}

pub(crate) fn uint(value: u64) -> Vec<u8> {
    item(0, value)
}

pub(crate) fn bytes(data: &[u8]) -> Vec<u8> {
    [item(2, data.len() as u64), data.to_vec()].concat()
}

pub(crate) fn array(len: u64) -> Vec<u8> {
    item(4, len)
}

pub(crate) fn link(cid: &Cid) -> Vec<u8> {
    [item(6, 42), bytes(&[vec![0], cid.to_bytes()].concat())].concat()
}

/// An item header in its shortest form.
pub(crate) fn item(major: u8, value: u64) -> Vec<u8> {
    let big = value.to_be_bytes();
    let major = major << 5;
    match value {
        0..=23 => vec![major | big[7]],
        24..=0xff => vec![major | 0x18, big[7]],
        0x100..=0xffff => [&[major | 0x19], &big[6..]].concat(),
        0x1_0000..=0xffff_ffff => [&[major | 0x1a], &big[4..]].concat(),
        _ => [&[major | 0x1b], &big[..]].concat(),
    }
}
