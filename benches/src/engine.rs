//! The engines without us: the calls that a user who needs none of our promises would make.

use std::hint::black_box;
use std::ops::Bound;
use std::path::Path;

use anyhow::{Context, Result};
use redb::{Database, ReadOnlyTable, ReadableDatabase, TableDefinition};
use rocksdb::checkpoint::Checkpoint;
use rocksdb::{
    BlockBasedOptions, BottommostLevelCompaction, Cache, CompactOptions, DB, DBCompressionType,
    DBRecoveryMode, LogLevel, Options, ReadOptions, WaitForCompactOptions, WriteBatch, properties,
};
use splitstore_domain::{BlockKey, ByteCount, note};
use splitstore_redb::RedbOptions;
use splitstore_rocksdb::RocksOptions;

use crate::workload::Record;

/// Memtables that together take the adapter's `write_buffers`.
const MEMTABLES: u8 = 4;
/// As the adapter's scan reads ahead.
const READAHEAD: usize = 4 << 20;
const BLOCKS: TableDefinition<'static, &'static [u8], &'static [u8]> = TableDefinition::new("blocks.v1");

/// `RocksDB` with the options of the adapter.
pub(crate) struct RawHot {
    db: DB,
}

/// How a read asks.
#[derive(Clone, Copy)]
pub(crate) enum Ask {
    /// For a copy.
    Copied,
    /// For the engine's own memory.
    Pinned,
}

impl RawHot {
    /// Opens `path`, or makes it.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Ok(Self { db: DB::open(&options()?, path)? })
    }

    /// A copy of the store in `from` as `to`, by hard links; nobody may have `from` open.
    pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
        let source = Self::open(from)?;
        std::fs::create_dir_all(to.parent().context("a copy has a folder around it")?)?;
        Ok(Checkpoint::new(&source.db)?.create_checkpoint(to)?)
    }

    /// Writes records as one batch.
    pub(crate) fn put(&self, records: &[Record]) -> Result<()> {
        let mut batch = WriteBatch::default();
        for (key, value) in records {
            batch.put(key.as_bytes(), value);
        }
        Ok(self.db.write(batch)?)
    }

    /// Deletes keys as one batch.
    pub(crate) fn delete(&self, keys: &[BlockKey]) -> Result<()> {
        let mut batch = WriteBatch::default();
        for key in keys {
            batch.delete(key.as_bytes());
        }
        Ok(self.db.write(batch)?)
    }

    /// Makes the log durable.
    pub(crate) fn sync(&self) -> Result<()> {
        Ok(self.db.flush_wal(true)?)
    }

    /// A copy of a value.
    pub(crate) fn get(&self, key: &BlockKey) -> Result<Option<Vec<u8>>> {
        Ok(self.db.get(key.as_bytes())?)
    }

    /// Reads keys one by one; the bytes found.
    pub(crate) fn read(&self, keys: &[BlockKey], ask: Ask) -> Result<u64> {
        let mut bytes = 0;
        for key in keys {
            bytes += match ask {
                Ask::Copied => self.db.get(key.as_bytes())?.map(|value| black_box(value).len()),
                Ask::Pinned => self.db.get_pinned(key.as_bytes())?.map(|value| black_box(&*value).len()),
            }
            .context("a key is not there")? as u64;
        }
        Ok(bytes)
    }

    /// Walks over all keys in order; how many there are.
    pub(crate) fn scan(&self) -> Result<u64> {
        let mut keys = 0;
        self.each_key(|key| {
            black_box(key);
            keys += 1;
        })?;
        Ok(keys)
    }

    /// Shows all keys of blocks in order.
    pub(crate) fn each_key(&self, mut look: impl FnMut(&[u8])) -> Result<()> {
        let mut options = ReadOptions::default();
        options.set_readahead_size(READAHEAD);
        options.fill_cache(false);
        // What stands behind the last block is the adapter's own.
        options.set_iterate_upper_bound(note::FIRST);
        let mut iter = self.db.raw_iterator_opt(options);
        iter.seek_to_first();
        while let Some(key) = iter.key() {
            look(key);
            iter.next();
        }
        Ok(iter.status()?)
    }

    /// Writes memtables out and waits until the engine has nothing more to compact of its own accord.
    pub(crate) fn settle(&self) -> Result<()> {
        self.db.flush()?;
        Ok(self.db.wait_for_compact(&WaitForCompactOptions::default())?)
    }

    /// Rewrites everything.
    pub(crate) fn compact(&self) -> Result<()> {
        let mut options = CompactOptions::default();
        options.set_bottommost_level_compaction(BottommostLevelCompaction::ForceOptimized);
        self.db.compact_range_opt(None::<&[u8]>, None::<&[u8]>, &options);
        Ok(self.db.wait_for_compact(&WaitForCompactOptions::default())?)
    }

    /// Deletes that are still written down, in tables and in memory.
    pub(crate) fn tombstones(&self) -> Result<u64> {
        let tables = self.db.live_files()?.iter().map(|file| file.num_deletions).sum::<u64>();
        let in_memory = [properties::NUM_DELETES_ACTIVE_MEM_TABLE, properties::NUM_DELETES_IMM_MEM_TABLES];
        let in_memory = in_memory.into_iter().map(|name| Ok(self.db.property_int_value(name)?.unwrap_or(0)));
        Ok(tables + in_memory.sum::<Result<u64>>()?)
    }
}

/// What the adapter sets, which keeps it to itself. A test compares the options files that both engines write;
/// only the bits of the filter are not in them. The raw engine has no purges to leave blocks out in.
fn options() -> Result<Options> {
    let RocksOptions { block_cache, write_buffers, block_size, background_jobs, open_files, .. } =
        RocksOptions::default();
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_block_based_table_factory(&tables(block_cache, block_size)?);
    options.set_compression_type(DBCompressionType::None);
    options.set_db_write_buffer_size(usize::try_from(write_buffers.0)?);
    options.set_write_buffer_size(usize::try_from(write_buffers.0)? / usize::from(MEMTABLES));
    options.set_max_write_buffer_number(MEMTABLES.into());
    options.set_max_background_jobs(background_jobs.into());
    options.set_max_subcompactions(background_jobs.into());
    options.set_max_open_files(open_files.into());
    options.set_bytes_per_sync(1 << 20);
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    options.set_log_level(LogLevel::Warn);
    options.set_keep_log_file_num(4);
    options.set_max_log_file_size(4 << 20);
    options.set_manifest_preallocation_size(64 << 10);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    Ok(options)
}

fn tables(cache: ByteCount, block_size: ByteCount) -> Result<BlockBasedOptions> {
    let mut tables = BlockBasedOptions::default();
    tables.set_block_size(usize::try_from(block_size.0)?);
    tables.set_bloom_filter(10.0, false);
    tables.set_block_cache(&Cache::new_hyper_clock_cache(usize::try_from(cache.0)?, 0));
    tables.set_cache_index_and_filter_blocks(true);
    tables.set_cache_index_and_filter_blocks_with_high_priority(true);
    tables.set_pin_l0_filter_and_index_blocks_in_cache(true);
    Ok(tables)
}

/// redb with the cache, the table and the durability of the adapter.
pub(crate) struct RawCold {
    database: Database,
}

impl RawCold {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let cache = usize::try_from(RedbOptions::default().cache.0)?;
        Ok(Self { database: Database::builder().set_cache_size(cache).create(path)? })
    }

    /// Appends sorted records to an empty table: one transaction, durable when it returns.
    pub(crate) fn insert_sorted(&self, records: &[Record]) -> Result<()> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_quick_repair(true);
        {
            let mut table = transaction.open_table(BLOCKS)?;
            let mut cursor = table.lower_bound_mut(Bound::<&[u8]>::Unbounded)?;
            for (key, value) in records {
                cursor.insert_before(key.as_bytes(), value.as_slice())?;
            }
            cursor.close()?;
        }
        Ok(transaction.commit()?)
    }

    /// Inserts records as they come: one transaction, durable when it returns.
    pub(crate) fn insert(&self, records: &[Record]) -> Result<()> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_quick_repair(true);
        {
            let mut table = transaction.open_table(BLOCKS)?;
            for (key, value) in records {
                table.insert(key.as_bytes(), value.as_slice())?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// The table as of now, for as many reads as one likes.
    pub(crate) fn table(&self) -> Result<ReadOnlyTable<&'static [u8], &'static [u8]>> {
        Ok(self.database.begin_read()?.open_table(BLOCKS)?)
    }
}

/// Copies of the values of these keys, one by one; the bytes found.
pub(crate) fn read_cold(
    table: &ReadOnlyTable<&'static [u8], &'static [u8]>,
    keys: &[BlockKey],
) -> Result<u64> {
    let mut bytes = 0;
    for key in keys {
        let found = table.get(key.as_bytes())?.context("a key is not there")?;
        bytes += black_box(found.value().to_vec()).len() as u64;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The newest options file of an engine's folder.
    fn options_of(folder: &Path) -> String {
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let is_options =
            |path: &std::path::PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with("OPTIONS-");
        let options = std::fs::read_to_string(names.filter(is_options).max().unwrap()).unwrap();
        // A purge that rewrites hot needs a filter; with one the engine looks at each file once in 30 days.
        let of_purge = ["compaction_filter_factory=", "periodic_compaction_seconds="];
        let is_shared = |line: &&str| !of_purge.iter().any(|name| line.trim_start().starts_with(name));
        options.lines().filter(is_shared).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn deletes_leave_tombstones_until_everything_is_rewritten() {
        let folder = tempfile::tempdir().unwrap();
        let raw = RawHot::open(folder.path()).unwrap();
        let cid = |number: u8| {
            cid::Cid::new_v1(0x55, cid::multihash::Multihash::wrap(0x12, &[number; 32]).unwrap())
        };
        let keys: Vec<_> = (0..100).map(|number| BlockKey::from(&cid(number))).collect();
        raw.put(&keys.iter().map(|key| (key.clone(), vec![1])).collect::<Vec<_>>()).unwrap();
        raw.settle().unwrap();
        raw.delete(&keys[..40]).unwrap();
        assert_eq!((raw.tombstones().unwrap(), raw.scan().unwrap()), (40, 60));
        raw.compact().unwrap();
        assert_eq!((raw.tombstones().unwrap(), raw.scan().unwrap()), (0, 60));
    }

    #[test]
    fn the_raw_engine_runs_with_every_option_of_the_adapters() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, raw) = (folder.path().join("ours"), folder.path().join("raw"));
        drop(splitstore_rocksdb::RocksHot::open(&ours, RocksOptions::default()).unwrap());
        drop(RawHot::open(&raw).unwrap());
        assert_eq!(options_of(&raw), options_of(&ours));
    }
}
