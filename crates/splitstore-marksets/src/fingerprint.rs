//! Keyed fingerprints of block keys.
//!
//! XXH3 (128 bits) under a secret of 192 random bytes, drawn per set. It is no cryptographic hash; what makes
//! it serve is that the secret is unknown to whoever chooses the keys, that the keys are themselves digests,
//! so cannot be chosen freely, and that nobody is ever told a fingerprint. A secret of 192 bytes is used
//! instead of a 64-bit seed: each multiplication of the hash then has words of its own that were never
//! published, and the seed cannot be searched for.

use std::fmt;

use splitstore_domain::BlockKey;
use splitstore_ports::{ErrorKind, PortError, Result};
use xxhash_rust::xxh3::xxh3_128_with_secret;

/// Bytes of a secret: what XXH3 itself uses as its default length.
pub(crate) const SECRET_BYTES: usize = 192;

/// Hashes keys under one secret.
#[derive(Clone)]
pub(crate) struct Fingerprinter {
    secret: Box<[u8; SECRET_BYTES]>,
    /// All ones, but in tests that want collisions.
    mask: u128,
}

impl Fingerprinter {
    /// A fresh secret from the operating system.
    pub(crate) fn random() -> Result<Self> {
        let mut secret = Box::new([0; SECRET_BYTES]);
        getrandom::fill(secret.as_mut_slice()).map_err(|source| {
            PortError::new(ErrorKind::Unavailable, "draw the secret of a mark set", source)
        })?;
        Ok(Self { secret, mask: u128::MAX })
    }

    /// The secret of a set that was sealed.
    pub(crate) fn known(secret: [u8; SECRET_BYTES]) -> Self {
        Self { secret: Box::new(secret), mask: u128::MAX }
    }

    /// Fingerprints of 16 bits, so that a few hundred keys collide: `mask` says which.
    #[cfg(test)]
    pub(crate) fn narrow(mask: u128) -> Self {
        assert_eq!(mask.count_ones(), 16, "planted collisions want 16 bits");
        Self { secret: Box::new(std::array::from_fn(|at| u8::try_from(at).unwrap())), mask }
    }

    /// 128 keyed bits.
    pub(crate) fn of(&self, key: &BlockKey) -> u128 {
        xxh3_128_with_secret(key.as_bytes(), self.secret.as_slice()) & self.mask
    }

    /// 64 keyed bits: the upper half.
    #[cfg(feature = "roaring")]
    pub(crate) fn short(&self, key: &BlockKey) -> u64 {
        upper(self.of(key))
    }

    pub(crate) fn secret(&self) -> &[u8; SECRET_BYTES] {
        &self.secret
    }
}

impl fmt::Debug for Fingerprinter {
    /// Never the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprinter(..)")
    }
}

/// The upper 64 bits.
pub(crate) const fn upper(fingerprint: u128) -> u64 {
    (fingerprint >> 64) as u64
}

/// The lower 64 bits.
#[cfg(any(feature = "exact", feature = "bloom", all(feature = "disk", unix)))]
#[expect(clippy::cast_possible_truncation, reason = "the upper half is meant to go")]
pub(crate) const fn lower(fingerprint: u128) -> u64 {
    fingerprint as u64
}
