//! Where a store may be opened, and by whom.

use std::path::Path;
use std::process::Command;

use splitstore_domain::ByteCount;
use splitstore_fjall::{FjallHot, FjallOptions};
use splitstore_ports::ErrorKind;

use crate::sample::open;

const PLACE: &str = "SPLITSTORE_FJALL_IS_HELD_IN";
const NAME: &str = "places::another_process_is_locked_out_and_told_where";

fn assert_locked(path: &Path) {
    let error = FjallHot::open(path, FjallOptions::default()).unwrap_err();
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
    let error = FjallHot::open(&place, FjallOptions::default()).unwrap_err();
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
fn a_folder_of_other_files_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("hot");
    std::fs::create_dir(&place).unwrap();
    std::fs::write(place.join("letter"), b"dear").unwrap();
    let error = FjallHot::open(&place, FjallOptions::default()).unwrap_err();
    assert!(error.attempt().contains(&place.display().to_string()), "{error}");
    assert_eq!(std::fs::read(place.join("letter")).unwrap(), b"dear");
}

#[test]
fn what_a_crash_left_of_a_new_store_is_no_hindrance() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("hot");
    let torn = folder.path().join("hot.creating");
    std::fs::create_dir(&torn).unwrap();
    std::fs::write(torn.join("0.jnl"), b"").unwrap();
    open(&place);
    assert!(!torn.exists());
}

#[test]
fn a_link_to_a_folder_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (disk, place) = (folder.path().join("disk"), folder.path().join("hot"));
    std::fs::create_dir(&disk).unwrap();
    std::os::unix::fs::symlink(&disk, &place).unwrap();
    open(&place);
    assert!(place.is_symlink() && disk.join("version").is_file());
}

#[test]
fn an_option_out_of_range_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let options = FjallOptions { block_size: ByteCount(3), ..FjallOptions::default() };
    let error = FjallHot::open(folder.path(), options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(error.attempt(), "set block_size of fjall to 3 B, allowed 1.0 KiB to 1.0 MiB");
}
