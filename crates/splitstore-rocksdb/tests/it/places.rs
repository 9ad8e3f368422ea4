//! Where a store may be opened, and by whom.

use std::path::Path;
use std::process::Command;

use splitstore_domain::ByteCount;
use splitstore_ports::ErrorKind;
use splitstore_rocksdb::{RocksHot, RocksOptions};

use crate::sample::open;

const PLACE: &str = "SPLITSTORE_ROCKSDB_IS_HELD_IN";
const NAME: &str = "places::another_process_is_locked_out_and_told_where";

fn assert_locked(path: &Path) {
    let error = RocksHot::open(path, RocksOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked, "{error}");
    assert_eq!(error.to_string(), format!("open hot tier {}: held by another process", path.display()));
}

#[test]
fn another_handle_is_locked_out_and_told_where() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    assert_locked(folder.path());
    drop(store);
    open(folder.path());
}

#[test]
fn another_process_is_locked_out_and_told_where() {
    if let Some(place) = std::env::var_os(PLACE) {
        return assert_locked(Path::new(&place));
    }
    let folder = tempfile::tempdir().unwrap();
    let _store = open(folder.path());
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME])
        .env(PLACE, folder.path())
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
}

#[test]
fn a_file_where_the_folder_should_be_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("hot");
    std::fs::write(&place, b"not a folder").unwrap();
    let error = RocksHot::open(&place, RocksOptions::default()).unwrap_err();
    assert!(error.attempt().contains(&place.display().to_string()), "{error}");
    assert_eq!(std::fs::read(&place).unwrap(), b"not a folder");
}

#[test]
fn folders_on_the_way_are_made() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("a/b/hot");
    assert_eq!(open(&place).path(), place);
}

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
