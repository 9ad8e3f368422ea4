//! The parts put together: every pair of tiers with every mark set, and the store in a folder.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[cfg(any(feature = "rocksdb", feature = "fjall"))]
mod disks;
#[cfg(any(feature = "rocksdb", feature = "fjall"))]
mod folder;
mod pairs;
