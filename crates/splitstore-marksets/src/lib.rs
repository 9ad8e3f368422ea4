//! Mark sets of four kinds, a cargo feature each.
//!
//! | kind | answers | memory per key | for |
//! |---|---|---|---|
//! | [`ExactSets`] | exact, gates walks | 20 to 39 bytes | the default |
//! | [`RoaringSets`] | may claim too much | 8.4 bytes of the universe, marked or not | the read filter of a long purge |
//! | [`BloomSets`] | may claim too much | 2 bytes | the least memory |
//! | [`DiskSets`] | exact, gates walks | 1.6 bytes, and 17 to 34 on disk | sets larger than memory |
//!
//! # Why bloom and roaring are mark sets only
//!
//! Both can say "there" of a key that is not: a bloom filter by its nature, roaring where two keys share a
//! 64-bit fingerprint. On the side of the sweep that keeps garbage, which is safe. A walk that is told "seen
//! before" turns back, and what lies below is deleted. A bloom filter of 0.1 % does that thousands of times
//! in one mark, and a plain 64-bit fingerprint can be ground by whoever writes blocks. So only the sets that
//! compare 128 keyed bits implement [`VisitSet`](splitstore_ports::VisitSet).
//!
//! # The secret
//!
//! Keys are chosen by strangers. Every set draws 192 bytes from the operating system and hashes keys under
//! them (XXH3 with a secret), so nobody can prepare keys that collide in it, nor fill one shard or one block of
//! it. A sealed set carries its secret: keep it as private as the store itself.
//!
//! # What is deliberately not here
//!
//! No framing and no fsync of sealed sets (the caller's), no way to take a mark back, no iteration over keys:
//! sets hold fingerprints, not keys.
//!
//! [`DiskSets`] is there on Unix only: it reads its files at offsets, from many threads.
//!
//! Start at [`ExactSets`].

#[cfg(any(feature = "exact", feature = "roaring", feature = "bloom", all(feature = "disk", unix)))]
mod fingerprint;
#[cfg(any(feature = "exact", feature = "roaring", feature = "bloom", all(feature = "disk", unix)))]
mod sealed;

#[cfg(feature = "exact")]
mod exact;
#[cfg(any(feature = "exact", all(feature = "disk", unix)))]
mod readings;
#[cfg(feature = "exact")]
pub use exact::ExactSets;

#[cfg(feature = "roaring")]
mod ordinals;
#[cfg(feature = "roaring")]
mod roaring;
#[cfg(feature = "roaring")]
pub use roaring::RoaringSets;

#[cfg(any(feature = "bloom", all(feature = "disk", unix)))]
mod block_filter;
#[cfg(feature = "bloom")]
mod bloom;
#[cfg(feature = "bloom")]
pub use bloom::BloomSets;

#[cfg(all(feature = "disk", unix))]
mod disk;
#[cfg(all(feature = "disk", unix))]
pub use disk::DiskSets;
