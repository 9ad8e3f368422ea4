//! The key of a block: its multihash, without version or codec.
//!
//! ```text
//!   CID v1   01 | codec varint | multihash           \
//!   CID v0               multihash (12 20 ..)         > one block, one key
//!   key                  code varint | len | digest  /
//! ```
//! CIDv0 and CIDv1 of one multihash, and two codecs over the same bytes, are one block. Keys of the hashes
//! in use (36 bytes for blake2b-256, 34 for sha2-256) live inline: a key is 40 bytes and owns no heap.

use std::fmt;
use std::str::FromStr;

use cid::Cid;
use multihash::Multihash;
use thiserror::Error;

const INLINE: usize = 38;

/// A block's multihash in its binary form; ordered and compared by those bytes.
#[derive(Clone)]
pub struct BlockKey(Repr);

#[derive(Clone)]
enum Repr {
    Inline { len: u8, bytes: [u8; INLINE] },
    Heap(Box<[u8]>),
}

/// Bytes that are no multihash.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{len} bytes are no multihash")]
pub struct KeyError {
    len: usize,
}

impl BlockKey {
    /// The key's bytes: multihash code, digest length, digest.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or(bytes),
            Repr::Heap(bytes) => bytes,
        }
    }

    /// Reads a key back; the bytes must be one whole multihash.
    #[inline]
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        // A scan reads millions: the two kinds that there are need no parser.
        if !is_common(bytes) {
            let len = bytes.len();
            Multihash::<64>::from_bytes(bytes).map_err(|_| KeyError { len })?;
        }
        Ok(Self::copied(bytes))
    }

    /// The CIDv1 of this block under a codec.
    pub fn to_cid(&self, codec: u64) -> Cid {
        let hash = Multihash::<64>::from_bytes(self.as_bytes());
        Cid::new_v1(codec, hash.expect("a key is a multihash since it was made"))
    }

    fn copied(bytes: &[u8]) -> Self {
        let mut inline = [0; INLINE];
        match (inline.get_mut(..bytes.len()), u8::try_from(bytes.len())) {
            (Some(place), Ok(len)) => {
                place.copy_from_slice(bytes);
                Self(Repr::Inline { len, bytes: inline })
            }
            _ => Self(Repr::Heap(bytes.into())),
        }
    }
}

/// Whether bytes are a whole multihash of blake2b-256 or sha2-256.
fn is_common(bytes: &[u8]) -> bool {
    const BLAKE: [u8; 4] = [0xa0, 0xe4, 0x02, 32];
    const SHA: [u8; 2] = [0x12, 32];
    let is = |header: &[u8]| bytes.len() == header.len() + 32 && bytes.starts_with(header);
    is(&BLAKE) || is(&SHA)
}

impl From<&Cid> for BlockKey {
    fn from(cid: &Cid) -> Self {
        // Code varint (at most 9 bytes), length varint and at most 64 bytes of digest.
        let mut buffer = [0; 80];
        let mut rest: &mut [u8] = &mut buffer;
        let written = cid.hash().write(&mut rest).expect("80 bytes hold any multihash of 64");
        Self::copied(buffer.get(..written).expect("what was written lies inside the buffer"))
    }
}

impl PartialEq for BlockKey {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for BlockKey {}

impl PartialOrd for BlockKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for BlockKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl std::hash::Hash for BlockKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Display for BlockKey {
    /// Lower-case hex of the multihash, as the CLI prints keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for BlockKey {
    type Err = KeyError;

    /// From hex, as [`Display`](fmt::Display) writes it.
    fn from_str(hex: &str) -> Result<Self, KeyError> {
        let wrong = KeyError { len: hex.len() / 2 };
        if !hex.len().is_multiple_of(2) || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(wrong);
        }
        let byte = |at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
        let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(byte).collect();
        Self::from_bytes(&bytes.ok_or(wrong)?)
    }
}

impl fmt::Debug for BlockKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlockKey({self})")
    }
}
