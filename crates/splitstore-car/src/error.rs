//! Why an archive could not be read or written; every error names the file and the offset.

use std::fmt;
use std::io;
use std::sync::Arc;

use cid::Cid;
use thiserror::Error;

use crate::varint::VarintFault;

/// Result of this crate.
pub type Result<T, E = CarError> = std::result::Result<T, E>;

/// A place in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    /// Name of the file, as the reader or writer was given it.
    pub file: Arc<str>,
    /// Bytes from the start of the uncompressed CAR stream (also where the file itself is compressed).
    pub offset: u64,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, offset {} of the uncompressed CAR stream", self.file, self.offset)
    }
}

/// Why an archive could not be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CarError {
    /// The bytes end in the middle of something.
    #[error("read {at}: the bytes end inside {what} that began at offset {began}")]
    Truncated {
        /// Where the bytes ran out.
        at: At,
        /// What was being read.
        what: &'static str,
        /// Offset in the uncompressed CAR stream at which it began.
        began: u64,
    },
    /// A varint is too long or not minimal.
    #[error("read {at}: the length of {what} is not a varint: {fault}")]
    BadVarint {
        /// Where the varint begins.
        at: At,
        /// What has that length.
        what: &'static str,
        /// What is wrong with it.
        fault: VarintFault,
    },
    /// Something is larger than the limits allow.
    #[error("read or write {at}: {what}: {found} exceeds the limit of {limit}")]
    TooLarge {
        /// Where it begins (or, for what came out of zstd, where the reader stood).
        at: At,
        /// What is too large, with its unit.
        what: &'static str,
        /// The limit in force.
        limit: u64,
        /// What was found or claimed.
        found: u64,
    },
    /// The header is not that of a CAR.
    #[error("read {at}: not a CAR header: {reason}")]
    BadHeader {
        /// Where the header begins.
        at: At,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The version is neither 1 nor 2, or not 1 inside a `CARv2`.
    #[error("read {at}: CAR version {version} is not supported here")]
    UnsupportedVersion {
        /// Where the header begins.
        at: At,
        /// The version found.
        version: u64,
    },
    /// A section does not begin with a CID, or is empty.
    #[error("read {at}: the section does not begin with a CID: {reason}")]
    BadCid {
        /// Where the section begins.
        at: At,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A block does not hash to its CID.
    #[error("verify {at}: the data of block {cid} does not hash to it")]
    HashMismatch {
        /// Where the section begins.
        at: At,
        /// The CID claimed.
        cid: Box<Cid>,
    },
    /// A block's hash function is not one that can be checked.
    #[error("verify {at}: block {cid} uses hash 0x{code:x}, which is not supported")]
    UnsupportedHash {
        /// Where the section begins.
        at: At,
        /// The CID claimed.
        cid: Box<Cid>,
        /// Its multihash code.
        code: u64,
    },
    /// The zstd layer is damaged or asks for more than allowed (such as too large a window).
    #[error("decompress {at} (byte {compressed_offset} of the file)")]
    Zstd {
        /// Where the reader stood.
        at: At,
        /// Compressed bytes consumed so far.
        compressed_offset: u64,
        /// What zstd says.
        source: io::Error,
    },
    /// The operating system refused.
    #[error("read or write {at}")]
    Io {
        /// Where the reader or writer stood.
        at: At,
        /// What it says.
        source: io::Error,
    },
    /// An earlier call failed; what follows in the archive cannot be told.
    #[error("go on at {at}: an earlier call on this archive failed")]
    AfterError {
        /// Where the reader or writer stood when it failed.
        at: At,
    },
}
