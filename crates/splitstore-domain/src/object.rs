//! What a CID tells about the object behind it, before anything is read.
//!
//! | kind | stored | walked | examples |
//! |---|---|---|---|
//! | `Dag` | yes | links followed | DAG-CBOR |
//! | `Opaque` | yes | kept, never opened | raw leaves, unknown codecs |
//! | `Identity` | never: the CID holds the data | its links are followed if it is DAG-CBOR | builtin actor names |
//! | `Unitary` | never | no | sealed and unsealed sector commitments |

use cid::Cid;

use crate::digest;

/// IPLD codec of raw bytes.
pub const RAW: u64 = 0x55;
/// IPLD codec of DAG-CBOR.
pub const DAG_CBOR: u64 = 0x71;
/// Codec of Filecoin's unsealed sector commitments.
pub const FIL_COMMITMENT_UNSEALED: u64 = 0xf101;
/// Codec of Filecoin's sealed sector commitments.
pub const FIL_COMMITMENT_SEALED: u64 = 0xf102;

/// How the store treats what a CID names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// A stored block whose links are followed.
    Dag,
    /// A stored block without links that we read.
    Opaque,
    /// Data inside the CID.
    Identity,
    /// A commitment to data that no block store holds.
    Unitary,
}

impl ObjectKind {
    /// The kind of object that `cid` names.
    pub fn of(cid: &Cid) -> Self {
        Self::classify(cid.codec(), cid.hash().code())
    }

    /// The same from a codec and a multihash code.
    pub const fn classify(codec: u64, hash: u64) -> Self {
        match (codec, hash) {
            (FIL_COMMITMENT_SEALED | FIL_COMMITMENT_UNSEALED, _) => Self::Unitary,
            (_, digest::IDENTITY) => Self::Identity,
            (DAG_CBOR, _) => Self::Dag,
            _ => Self::Opaque,
        }
    }

    /// Whether a block store holds a block for it.
    pub const fn is_stored(self) -> bool {
        matches!(self, Self::Dag | Self::Opaque)
    }
}

/// The data of an identity CID; `None` for every other.
pub fn identity_data(cid: &Cid) -> Option<&[u8]> {
    (cid.hash().code() == digest::IDENTITY).then(|| cid.hash().digest())
}
