//! What a user may choose about the engine, and what is not for choice.

use std::ops::RangeInclusive;

use rocksdb::{BlockBasedOptions, Cache, DBCompressionType, DBRecoveryMode, LogLevel, Options};
use splitstore_domain::ByteCount;
use splitstore_ports::{ErrorKind, PortError, Result};

/// How data blocks are compressed. Most of a block's bytes are digests, which do not compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// LZ4: costs about a fifth of the write rate; worth it where data is text-like or repeats.
    Lz4,
    /// Zstandard.
    Zstd,
}

/// Settings of the engine. Memory is bounded by `block_cache` + `write_buffers`, plus what reads hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RocksOptions {
    /// Memory for cached data, filters and indexes; at most 1 TiB, 0 for none.
    pub block_cache: ByteCount,
    /// Memory for data not yet written to tables; at least 1 MiB.
    pub write_buffers: ByteCount,
    /// Size of a data block before compression, 1 KiB to 1 MiB: small for random reads, large for scans.
    pub block_size: ByteCount,
    /// How data blocks are compressed.
    pub compression: Compression,
    /// Threads that flush and compact; at least 1.
    pub background_jobs: u16,
    /// Files held open at most; at least 64. One file is about 64 MiB of data.
    pub open_files: u16,
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

impl Default for RocksOptions {
    fn default() -> Self {
        Self {
            block_cache: ByteCount(512 * MIB),
            write_buffers: ByteCount(256 * MIB),
            block_size: ByteCount(8 * KIB),
            compression: Compression::None,
            background_jobs: 2,
            // Below the soft limit of 1024 that most systems start a process with.
            open_files: 768,
        }
    }
}

/// Memtables that may exist at a time; together they take `write_buffers`.
const MEMTABLES: u8 = 4;
/// More bits than this buy little: 10 give one wrong "maybe" in a hundred.
const FILTER_BITS_PER_KEY: f64 = 10.0;
/// How large an entry of the cache is on average: the engine finds out.
const ENTRY_UNKNOWN: usize = 0;
/// The cache reserves addresses for its size, and the engine ends the process where it cannot.
const CACHE_MAX: u64 = 1 << 40;
/// Bytes of a table that are not yet on their way to the disk.
const TABLE_AHEAD: u64 = MIB;
const LOG_FILES: usize = 4;
const LOG_FILE_SIZE: usize = 4 << 20;
const MANIFEST_AHEAD: usize = 64 << 10;

impl RocksOptions {
    /// The engine's own form of these settings.
    pub(crate) fn build(&self) -> Result<Options> {
        let write_buffers = size("write_buffers", self.write_buffers, MIB..=u64::MAX)?;
        let mut options = Options::default();
        options.create_if_missing(true);
        options.set_block_based_table_factory(&self.tables()?);
        options.set_compression_type(self.compression.into());
        options.set_db_write_buffer_size(write_buffers);
        options.set_write_buffer_size(write_buffers / usize::from(MEMTABLES));
        options.set_max_write_buffer_number(MEMTABLES.into());
        options.set_max_background_jobs(self.background_jobs.max(1).into());
        // Compactions that were asked for, and those of the first level, share their work.
        options.set_max_subcompactions(u32::from(self.background_jobs.max(1)));
        options.set_max_open_files(self.open_files.max(64).into());
        // The disk gets tables while they are written, not all at once with their sync: reads would wait behind that.
        options.set_bytes_per_sync(TABLE_AHEAD);
        guard_the_log(&mut options);
        quieten(&mut options);
        Ok(options)
    }

    fn tables(&self) -> Result<BlockBasedOptions> {
        let mut tables = BlockBasedOptions::default();
        tables.set_block_size(size("block_size", self.block_size, KIB..=MIB)?);
        tables.set_bloom_filter(FILTER_BITS_PER_KEY, false);
        // Without locks: a thread that stands back can be made to wait while it holds one, and every reader would with it.
        match size("block_cache", self.block_cache, 0..=CACHE_MAX)? {
            // The engine ends the process where it cannot make one of no size.
            0 => tables.disable_cache(),
            size => tables.set_block_cache(&Cache::new_hyper_clock_cache(size, ENTRY_UNKNOWN)),
        }
        // Filters and indexes inside the cache, else they grow without bound beside it.
        tables.set_cache_index_and_filter_blocks(true);
        tables.set_cache_index_and_filter_blocks_with_high_priority(true);
        tables.set_pin_l0_filter_and_index_blocks_in_cache(true);
        Ok(tables)
    }
}

/// A size as the engine takes it, or an error that names the option and its range.
fn size(name: &str, value: ByteCount, allowed: RangeInclusive<u64>) -> Result<usize> {
    usize::try_from(value.0).ok().filter(|_| allowed.contains(&value.0)).ok_or_else(|| {
        let range = format!("{} to {}", ByteCount(*allowed.start()), ByteCount(*allowed.end()));
        PortError::bare(ErrorKind::Unsupported, format!("set {name} of rocksdb to {value}, allowed {range}"))
    })
}

/// What durability rests on; none of it is for choice.
fn guard_the_log(options: &mut Options) {
    // What follows a torn record is dropped, what stands before it is kept.
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    // Syncing parts of the log while it grows, and writing into old log files again, have both let recovery
    // step over a hole: RocksDB's own crash test keeps them off.
    options.set_wal_bytes_per_sync(0);
    options.set_recycle_log_file_num(0);
    options.set_manual_wal_flush(false);
    options.set_paranoid_checks(true);
    // `has` and misses ask the last level most of all.
    options.set_optimize_filters_for_hits(false);
}

/// Bounds what the engine writes about itself.
fn quieten(options: &mut Options) {
    options.set_log_level(LogLevel::Warn);
    options.set_keep_log_file_num(LOG_FILES);
    options.set_max_log_file_size(LOG_FILE_SIZE);
    options.set_manifest_preallocation_size(MANIFEST_AHEAD);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
}

impl From<Compression> for DBCompressionType {
    fn from(compression: Compression) -> Self {
        match compression {
            Compression::None => Self::None,
            Compression::Lz4 => Self::Lz4,
            Compression::Zstd => Self::Zstd,
        }
    }
}
