//! Where a store may be opened, beside what every hot store on disk must do.

use splitstore_domain::ByteCount;
use splitstore_ports::ErrorKind;
use splitstore_rocksdb::{RocksHot, RocksOptions};

#[test]
fn a_database_of_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = rocksdb::Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    drop(rocksdb::DB::open_cf(&options, folder.path(), ["default", "foreign"]).unwrap());
    let error = RocksHot::open(folder.path(), RocksOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
}

#[test]
fn an_option_out_of_range_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let options = RocksOptions { block_size: ByteCount(3), ..RocksOptions::default() };
    let error = RocksHot::open(folder.path(), options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(error.attempt(), "set block_size of rocksdb to 3 B, allowed 1.0 KiB to 1.0 MiB");
}
