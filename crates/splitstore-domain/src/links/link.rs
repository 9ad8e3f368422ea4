//! One link of a block: a CID in its binary form, borrowed from the block.

use cid::Cid;

use crate::digest;
use crate::object::{DAG_CBOR, ObjectKind};

const CID_V0: [u8; 2] = [0x12, 0x20];
/// How nearly every multihash of a chain begins: blake2b-256, 32 bytes.
const BLAKE: [u8; 4] = [0xa0, 0xe4, 0x02, 32];
const BLAKE_LEN: usize = BLAKE.len() + 32;
/// Dag-PB: the codec that every CIDv0 has.
const DAG_PB: u64 = 0x70;

/// A checked binary CID. Building a [`Cid`] costs more than the scan: look up by [`Link::multihash`] where
/// that will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link<'a> {
    bytes: &'a [u8],
    multihash: &'a [u8],
    codec: u64,
    hash: u64,
}

impl<'a> Link<'a> {
    /// Reads a binary CID that fills `bytes`.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        if let [1, codec @ 0..0x80, multihash @ ..] = bytes
            && multihash.len() == BLAKE_LEN
            && multihash.starts_with(&BLAKE)
        {
            return Some(Self { bytes, multihash, codec: (*codec).into(), hash: digest::BLAKE2B_256 });
        }
        Self::parse_any(bytes)
    }

    fn parse_any(bytes: &'a [u8]) -> Option<Self> {
        if bytes.starts_with(&CID_V0) {
            return Self::with_multihash(bytes, bytes, DAG_PB);
        }
        let rest = bytes.strip_prefix(&[1])?;
        let (codec, multihash) = varint(rest)?;
        Self::with_multihash(bytes, multihash, codec)
    }

    fn with_multihash(bytes: &'a [u8], multihash: &'a [u8], codec: u64) -> Option<Self> {
        let (hash, rest) = varint(multihash)?;
        let (len, digest) = varint(rest)?;
        let whole = digest.len() <= 64 && u64::try_from(digest.len()) == Ok(len);
        whole.then_some(Self { bytes, multihash, codec, hash })
    }

    /// The CID's bytes, without the multibase prefix.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The bytes of a [`crate::BlockKey`].
    pub const fn multihash(&self) -> &'a [u8] {
        self.multihash
    }

    /// The codec of what it points at.
    pub const fn codec(&self) -> u64 {
        self.codec
    }

    /// Whether the store holds a block for it, and whether that is opened.
    pub const fn kind(&self) -> ObjectKind {
        ObjectKind::classify(self.codec, self.hash)
    }

    /// The data of an identity CID; `None` for every other.
    pub fn identity_data(&self) -> Option<&'a [u8]> {
        let (_, behind) = varint(self.multihash).filter(|_| self.hash == digest::IDENTITY)?;
        varint(behind).map(|(_, data)| data)
    }

    /// Whether its target is DAG-CBOR.
    pub const fn is_dag(&self) -> bool {
        self.codec == DAG_CBOR
    }

    /// The CID.
    pub fn cid(&self) -> Cid {
        Cid::try_from(self.bytes).expect("parse checked the structure that a cid has")
    }
}

/// An unsigned varint of at most 9 bytes (multiformats); `None` if cut, too long or not minimal.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(9).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let minimal = *byte != 0 || index == 0;
            return minimal.then(|| (value, bytes.get(index + 1..).unwrap_or_default()));
        }
    }
    None
}
