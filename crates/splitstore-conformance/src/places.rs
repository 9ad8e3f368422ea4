//! Clauses on where a store on disk may be opened, by whom, and what a process that dies leaves there.
//!
//! Some need a second process: the test binary runs itself with the name of the one test and the place in the
//! environment.
//!
//! ```text
//!   test  --(PLACE=folder, --exact name)-->  the same test, which finds PLACE and plays the other process
//! ```

use std::path::Path;
use std::process::{Command, Output};

use splitstore_ports::{ErrorKind, HotStore};

use crate::probe::{Blocks, assert_holds, assert_lacks, keys_of, put_all};
use crate::{InFolder, sample};

/// In the environment of the other process: the folder.
const PLACE: &str = "SPLITSTORE_CONFORMANCE_PLACE";

/// Runs the test `name` in another process, with `folder` as its place.
fn elsewhere(name: &str, folder: &Path) -> Output {
    // Test binaries know their tests without the name of the crate.
    let (_, name) = name.split_once("::").expect("the path of a test begins with its crate");
    let this = std::env::current_exe().expect("the test binary");
    Command::new(this).args(["--exact", name]).env(PLACE, folder).output().expect("run the test binary")
}

/// The place, if this is the other process.
fn place() -> Option<std::path::PathBuf> {
    std::env::var_os(PLACE).map(Into::into)
}

fn assert_locked<S>(fixture: &InFolder<S>, folder: &Path) {
    let Err(error) = fixture.open_at(folder) else { panic!("a second handle was given out") };
    assert_eq!(error.kind(), ErrorKind::Locked, "{error}");
    assert!(error.to_string().contains(&folder.display().to_string()), "{error} names the place");
}

/// `Locked`: "another process holds it", and the error says where.
pub fn another_process_is_locked_out_and_told_where(fixture: &InFolder<impl Blocks>, name: &str) {
    if let Some(place) = place() {
        return assert_locked(fixture, &place);
    }
    let _store = fixture.open_at(fixture.path()).expect("open");
    let child = elsewhere(name, fixture.path());
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
}

/// Another handle of the same process is told the same.
pub fn another_handle_is_locked_out_and_told_where(fixture: &InFolder<impl Blocks>, _: &str) {
    let store = fixture.open_at(fixture.path()).expect("open");
    assert_locked(fixture, fixture.path());
    drop(store);
    fixture.open_at(fixture.path()).expect("the place is free again");
}

/// What stands in the way is named and stays.
pub fn a_file_where_the_folder_should_be_is_named(fixture: &InFolder<impl Blocks>, _: &str) {
    let place = fixture.path().join("hot");
    std::fs::write(&place, b"not a folder").expect("write");
    let Err(error) = fixture.open_at(&place) else { panic!("a file was opened as a folder") };
    assert!(error.attempt().contains(&place.display().to_string()), "{error}");
    assert_eq!(std::fs::read(&place).expect("read"), b"not a folder");
}

/// A store is made with the folders above it.
pub fn folders_on_the_way_are_made(fixture: &InFolder<impl Blocks>, _: &str) {
    let place = fixture.path().join("a/b/hot");
    let store = fixture.open_at(&place).expect("open");
    put_all(&store, &sample::blocks(0..3));
    assert!(place.is_dir());
    assert!(!store.has(&sample::block(9).0).expect("has"));
}

/// A returned write outlives the process, synced or not: only a power cut may take it.
pub fn a_process_that_dies_unsynced_loses_no_returned_write(fixture: &InFolder<impl HotStore>, name: &str) {
    let blocks = sample::blocks(0..100);
    if let Some(place) = place() {
        let store = fixture.open_at(&place).expect("open");
        put_all(&store, &blocks[..50]);
        put_all(&store, &blocks[50..]);
        store.delete_many(&keys_of(&blocks[..40])).expect("delete");
        std::process::abort();
    }
    assert!(!elsewhere(name, fixture.path()).status.success(), "the other process was to abort");
    let store = fixture.open_at(fixture.path()).expect("open");
    assert_lacks(&store, &blocks[..40]);
    assert_holds(&store, &blocks[40..]);
}
