//! Where a store may be opened, beside what every hot store on disk must do.

use splitstore_domain::ByteCount;
use splitstore_fjall::{FjallHot, FjallOptions};
use splitstore_ports::ErrorKind;

use crate::sample::open;

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
