//! What a process that dies leaves behind, played with a process that does.

use std::path::Path;
use std::process::Command;

use splitstore_conformance::sample::blocks;
use splitstore_ports::{BlockDelete, BlockReadExt};

use crate::sample::{keys, open, put};

const PLACE: &str = "SPLITSTORE_ROCKSDB_DIES_IN";
const NAME: &str = "crash::a_process_that_dies_unsynced_loses_no_returned_write";

#[test]
fn a_process_that_dies_unsynced_loses_no_returned_write() {
    if let Some(place) = std::env::var_os(PLACE) {
        die_in(Path::new(&place));
    }
    let folder = tempfile::tempdir().unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(PLACE, folder.path())
        .status()
        .unwrap();
    assert!(!child.success(), "the other process was to abort");
    let store = open(folder.path());
    for (n, (cid, data)) in blocks(0..100).into_iter().enumerate() {
        let expected = (n >= 40).then_some(data);
        assert_eq!(store.get(&cid).unwrap(), expected, "block {n}");
    }
}

fn die_in(place: &Path) -> ! {
    let store = open(place);
    put(&store, &blocks(0..50));
    put(&store, &blocks(50..100));
    store.delete_many(&keys(&blocks(0..40))).unwrap();
    std::process::abort()
}
