//! One block of an archive.

use cid::Cid;

/// A block as it stood in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarBlock {
    /// The CID written before the data, version and codec as found.
    pub cid: Cid,
    /// The data, verified against the CID unless the reader was told to trust.
    pub data: Vec<u8>,
    /// Where the section (its length varint) begins, in bytes of the uncompressed CAR stream.
    pub offset: u64,
}
