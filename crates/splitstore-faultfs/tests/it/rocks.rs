//! RocksDB on the forgetful environment.

use rocksdb::{DB, Options};
use splitstore_faultfs::forgetful_env;

fn open(path: &std::path::Path) -> DB {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_env(&forgetful_env());
    DB::open(&options, path).unwrap()
}

#[test]
fn what_was_not_synced_is_gone_and_what_was_is_there() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let db = open(folder.path());
    db.put(b"synced", b"1").unwrap();
    db.flush_wal(true).unwrap();
    db.put(b"lost", b"2").unwrap();
    assert_eq!(db.get(b"lost").unwrap().as_deref(), Some(&b"2"[..]), "it is there until the power goes");
    // A file of this environment that is closed without a sync forgets as one whose process is killed.
    drop(db);
    let db = open(folder.path());
    assert_eq!(db.get(b"synced").unwrap().as_deref(), Some(&b"1"[..]));
    assert_eq!(db.get(b"lost").unwrap(), None);
}

#[test]
fn tables_that_were_written_stay() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path());
    for number in 0..1000_u32 {
        db.put(number.to_be_bytes(), [7; 100]).unwrap();
    }
    db.flush().unwrap();
    drop(db);
    assert_eq!(open(folder.path()).get(999_u32.to_be_bytes()).unwrap().as_deref(), Some(&[7; 100][..]));
}
