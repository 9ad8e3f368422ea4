//! Secrets that keep whoever writes blocks from choosing how their keys are hashed.

use std::hash::BuildHasher;

/// Bytes of a secret: what XXH3 itself uses as its default length.
pub(crate) const BYTES: usize = 192;

/// A secret drawn from `source`: the standard library keys its hasher with random bytes of the operating system, which
/// are stretched by it.
pub(crate) fn drawn(source: &impl BuildHasher) -> Box<[u8; BYTES]> {
    let mut secret = Box::new([0; BYTES]);
    for (part, number) in secret.chunks_exact_mut(size_of::<u64>()).zip(0_u64..) {
        part.copy_from_slice(&source.hash_one(number).to_le_bytes());
    }
    secret
}
