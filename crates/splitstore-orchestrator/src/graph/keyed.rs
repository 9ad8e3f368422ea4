//! Short names of keys.
//!
//! ```text
//!   key     a0 e4 02 20 | 5f 91 c3 07 aa 10 .. ..      header, digest
//!   id                    5f 91 c3 07 aa 10 .. .0      upper 63 bits of the digest: ids sort as keys do
//!   check   XXH3 of the whole key under a secret       64 bits: tell apart what has one id
//! ```
//! Ids are no secret: who is willing to hash for hours can make two keys share one. Nobody can aim at a check.

use std::hash::RandomState;

use xxhash_rust::xxh3::xxh3_64_with_secret;

use crate::secret;

/// Bits of an id, at most: one of 64 says how a link is read.
pub(crate) const ID_BITS: u32 = 63;

/// Both names of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Short {
    pub(crate) id: u64,
    pub(crate) check: u64,
}

/// Names keys under one secret.
pub(crate) struct Keyed {
    secret: Box<[u8; Self::SECRET]>,
    mask: u64,
}

impl Keyed {
    /// Bytes of a secret.
    pub(crate) const SECRET: usize = secret::BYTES;

    /// One that was written down.
    pub(super) const fn known(secret: Box<[u8; Self::SECRET]>, mask: u64) -> Self {
        Self { secret, mask }
    }

    /// What makes it.
    pub(super) fn parts(&self) -> (&[u8; Self::SECRET], u64) {
        (&self.secret, self.mask)
    }

    /// A fresh secret; ids of so many bits, between 1 and [`ID_BITS`].
    pub(crate) fn random(id_bits: u32) -> Self {
        let secret = secret::drawn(&RandomState::new());
        Self::of(secret, id_bits)
    }

    /// Of a secret that was made before.
    pub(crate) fn of(secret: Box<[u8; Self::SECRET]>, id_bits: u32) -> Self {
        Self { secret, mask: u64::MAX << (u64::BITS - id_bits.clamp(1, ID_BITS)) }
    }

    /// The secret, to be kept where nobody who writes blocks can read it.
    pub(crate) const fn secret(&self) -> &[u8; Self::SECRET] {
        &self.secret
    }

    /// Tells names under this secret and width from all others, and gives neither away.
    pub(crate) fn fingerprint(&self) -> u64 {
        xxh3_64_with_secret(&self.mask.to_le_bytes(), self.secret.as_slice())
    }

    /// The names of a multihash.
    pub(crate) fn short(&self, multihash: &[u8]) -> Short {
        let digest = multihash.get(header_len(multihash)..).unwrap_or_default();
        let upper = digest.first_chunk().map_or_else(|| padded(digest), |digest| u64::from_be_bytes(*digest));
        Short { id: upper & self.mask, check: xxh3_64_with_secret(multihash, self.secret.as_slice()) }
    }
}

fn padded(digest: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    for (byte, digest) in bytes.iter_mut().zip(digest) {
        *byte = *digest;
    }
    u64::from_be_bytes(bytes)
}

/// Bytes of a multihash before its digest: two varints.
pub(crate) fn header_len(multihash: &[u8]) -> usize {
    let ends = multihash.iter().enumerate().filter(|(_, byte)| **byte < 0x80).map(|(at, _)| at + 1);
    ends.take(2).last().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_as_keys_do_whatever_the_length_of_the_digest() {
        let keyed = Keyed::random(16);
        let key = |digest: &[u8]| [&[0xa0, 0xe4, 0x02, u8::try_from(digest.len()).unwrap()], digest].concat();
        assert_eq!(header_len(&key(&[9; 32])), 4);
        assert_eq!(header_len(&[0x12, 0x20, 1, 2]), 2);
        assert_eq!(keyed.short(&key(&[0xab, 0xcd, 0xef, 1, 2, 3, 4, 5, 6])).id, 0xabcd << 48);
        assert_eq!(keyed.short(&key(&[0xab])).id, 0xab << 56);
        assert_eq!(Keyed::random(ID_BITS).short(&key(&[0xff; 32])).id, u64::MAX - 1);
    }

    #[test]
    fn checks_are_of_the_whole_key_and_of_one_secret() {
        let (one, other) = (Keyed::random(63), Keyed::random(63));
        let check = |keyed: &Keyed, key: &[u8]| keyed.short(key).check;
        let (key, twin) = ([0x12, 0x20, 7, 7, 7], [0x12, 0x20, 7, 7, 8]);
        assert_eq!(check(&one, &key), check(&one, &key));
        assert_ne!(check(&one, &key), check(&one, &twin));
        assert_ne!(check(&one, &key), check(&other, &key));
    }
}
