//! Does the data belong to the CID? The one place that hashes.
//!
//! Allowed are the hashes that content-addressed chains use: blake2b-256 (Filecoin), sha2-256 (bundles,
//! IPFS) and identity of at most [`IDENTITY_MAX`] bytes. Any other hash is an error, not a pass: a block
//! that cannot be checked must not be taken in.

use cid::Cid;
use thiserror::Error;

/// Multihash code of identity: the "digest" is the data itself.
pub const IDENTITY: u64 = 0x00;
/// Multihash code of SHA2-256.
pub const SHA2_256: u64 = 0x12;
/// Multihash code of BLAKE2b with 32 bytes of output.
pub const BLAKE2B_256: u64 = 0xb220;
/// Longest identity digest that is taken, in bytes.
pub const IDENTITY_MAX: usize = 64;

/// Why data was refused under a CID.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DigestError {
    /// The data hashes to something else.
    #[error("hash mismatch: the data of {cid} ({len} bytes) does not hash to it")]
    Mismatch {
        /// The CID that was claimed.
        cid: Cid,
        /// Length of the data in bytes.
        len: usize,
    },
    /// The hash function is not one of the allowed three.
    #[error("unsupported hash 0x{code:x} in {cid}: blake2b-256, sha2-256 and identity are allowed")]
    Unsupported {
        /// The CID that was claimed.
        cid: Cid,
        /// Its multihash code.
        code: u64,
    },
}

/// Whether data can be checked against this multihash code.
pub const fn is_supported(code: u64) -> bool {
    matches!(code, BLAKE2B_256 | SHA2_256 | IDENTITY)
}

/// Checks that `data` hashes to `cid`.
pub fn verify(cid: &Cid, data: &[u8]) -> Result<(), DigestError> {
    let hash = cid.hash();
    let matches = match (hash.code(), digest_of(hash.code(), data)) {
        (_, Some(digest)) => hash.digest() == digest,
        (IDENTITY, None) => hash.digest() == data,
        (code, None) => return Err(DigestError::Unsupported { cid: *cid, code }),
    };
    if matches {
        Ok(())
    } else {
        let len = data.len();
        Err(DigestError::Mismatch { cid: *cid, len })
    }
}

/// The digest of `data` under one of the two hashes that compute one; `None` for any other code.
pub fn digest_of(code: u64, data: &[u8]) -> Option<[u8; 32]> {
    match code {
        BLAKE2B_256 => Some(blake2b_256(data)),
        SHA2_256 => Some(sha2_256(data)),
        _ => None,
    }
}

/// BLAKE2b with 32 bytes of output (RFC 7693).
pub fn blake2b_256(data: &[u8]) -> [u8; 32] {
    let hash = blake2b_simd::Params::new().hash_length(32).hash(data);
    let mut digest = [0; 32];
    digest.copy_from_slice(hash.as_bytes());
    digest
}

fn sha2_256(data: &[u8]) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(data).into()
}
