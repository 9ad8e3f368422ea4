//! What a user may choose about the engine.

use std::ops::RangeInclusive;

use fjall::config::{
    BlockSizePolicy, BloomConstructionPolicy, CompressionPolicy, FilterPolicy, FilterPolicyEntry,
};
use fjall::{CompressionType, KeyspaceCreateOptions};
use splitstore_domain::ByteCount;
use splitstore_ports::{ErrorKind, PortError, Result};

/// How data blocks are compressed. Most of a block's bytes are digests, which do not compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// LZ4.
    Lz4,
}

/// Settings of the engine. Block size and compression are those of the first open; the rest may change.
/// Memory is bounded by `block_cache`, five memtables of 64 MiB, and what reads hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FjallOptions {
    /// Memory for cached data, filters and indexes.
    pub block_cache: ByteCount,
    /// Size of a data block before compression, 1 KiB to 1 MiB: small for random reads, large for scans.
    pub block_size: ByteCount,
    /// How data blocks are compressed.
    pub compression: Compression,
    /// Threads that flush and compact; at least 1.
    pub workers: u16,
    /// Files held open at most; at least 64. One file is about 64 MiB of data.
    pub open_files: u16,
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

impl Default for FjallOptions {
    fn default() -> Self {
        Self {
            block_cache: ByteCount(512 * MIB),
            block_size: ByteCount(8 * KIB),
            compression: Compression::None,
            workers: 2,
            // Below the soft limit of 1024 that most systems start a process with.
            open_files: 768,
        }
    }
}

/// More bits than this buy little: 10 give one wrong "maybe" in a hundred.
const FILTER_BITS_PER_KEY: f32 = 10.0;

impl FjallOptions {
    /// An error that names the first option out of range.
    pub(crate) fn check(&self) -> Result<()> {
        within("block_size", self.block_size, KIB..=MIB)
    }

    /// The form in which the engine keeps blocks.
    pub(crate) fn blocks(&self) -> KeyspaceCreateOptions {
        let bloom = FilterPolicyEntry::Bloom(BloomConstructionPolicy::BitsPerKey(FILTER_BITS_PER_KEY));
        let block_size = u32::try_from(self.block_size.0).expect("checked to be at most 1 MiB");
        KeyspaceCreateOptions::default()
            .data_block_size_policy(BlockSizePolicy::all(block_size))
            .data_block_compression_policy(CompressionPolicy::all(self.compression.into()))
            // On all levels: every read that misses hot asks here first.
            .filter_policy(FilterPolicy::all(bloom))
            .expect_point_read_hits(false)
    }
}

fn within(name: &str, value: ByteCount, allowed: RangeInclusive<u64>) -> Result<()> {
    if allowed.contains(&value.0) {
        return Ok(());
    }
    let range = format!("{} to {}", ByteCount(*allowed.start()), ByteCount(*allowed.end()));
    Err(PortError::bare(ErrorKind::Unsupported, format!("set {name} of fjall to {value}, allowed {range}")))
}

impl From<Compression> for CompressionType {
    fn from(compression: Compression) -> Self {
        match compression {
            Compression::None => Self::None,
            Compression::Lz4 => Self::Lz4,
        }
    }
}
