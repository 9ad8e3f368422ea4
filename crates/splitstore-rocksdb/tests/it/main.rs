//! The contract of the ports, and what RocksDB adds to it: places, processes, damage, space.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod damage;
mod places;
mod rescue;
mod sample;
mod space;

use splitstore_conformance::{InFolder, hot_place, hot_store};
use splitstore_rocksdb::{Compression, RocksHot, RocksOptions};

hot_store!(rocksdb, || InFolder::new(|path| RocksHot::open(path, RocksOptions::default())));
hot_store!(rocksdb_zstd, || {
    let options = RocksOptions { compression: Compression::Zstd, ..RocksOptions::default() };
    InFolder::new(move |path| RocksHot::open(path, options))
});

hot_place!(rocksdb_place, || InFolder::new(|path| RocksHot::open(path, RocksOptions::default())));
