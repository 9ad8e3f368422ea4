//! The disk of redb: pages held until a sync.

use std::fs::{self, File, OpenOptions};
use std::path::Path;

use redb::StorageBackend;
use redb::backends::FileBackend;
use splitstore_faultfs::{Dice, HeldBackend};

const PAGE: usize = 4096;

fn file(path: &Path) -> File {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).unwrap()
}

fn held(path: &Path, early_per_mille: u64) -> HeldBackend {
    HeldBackend::new(FileBackend::new(file(path)).unwrap(), Dice::new(5, 0), early_per_mille).unwrap()
}

fn read(disk: &HeldBackend, page: usize) -> Vec<u8> {
    let mut bytes = vec![0; PAGE];
    disk.read((page * PAGE) as u64, &mut bytes).unwrap();
    bytes
}

#[test]
fn writes_are_seen_at_once_and_are_in_the_file_after_a_sync_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pages");
    let disk = held(&path, 0);
    disk.set_len(4 * PAGE as u64).unwrap();
    disk.write(PAGE as u64, &[1; PAGE]).unwrap();
    assert_eq!((disk.len().unwrap(), read(&disk, 1)), (4 * PAGE as u64, vec![1; PAGE]));
    assert_eq!(fs::read(&path).unwrap(), b"", "the power could go now");
    disk.sync_data().unwrap();
    disk.write(0, &[2; PAGE]).unwrap();
    disk.set_len(PAGE as u64).unwrap();
    let synced = fs::read(&path).unwrap();
    assert_eq!(synced, [vec![0; PAGE], vec![1; PAGE], vec![0; 2 * PAGE]].concat());
    disk.sync_data().unwrap();
    assert_eq!(fs::read(&path).unwrap(), vec![2; PAGE]);
}

#[test]
fn what_is_cut_off_and_grown_again_is_zero_after_a_sync() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pages");
    let disk = held(&path, 0);
    disk.write(0, &[3; 3 * PAGE]).unwrap();
    disk.sync_data().unwrap();
    disk.set_len(PAGE as u64).unwrap();
    disk.set_len(3 * PAGE as u64).unwrap();
    disk.sync_data().unwrap();
    assert_eq!(fs::read(&path).unwrap(), [vec![3; PAGE], vec![0; 2 * PAGE]].concat());
}

#[test]
fn some_sectors_go_early_and_tear_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pages");
    let disk = held(&path, 500);
    disk.write(0, &vec![4; 16 * PAGE]).unwrap();
    let early = fs::read(&path).unwrap();
    let torn = early.chunks(PAGE).filter(|page| page.contains(&4) && page.contains(&0)).count();
    assert!(torn > 0, "no page is torn");
    assert!(
        early.chunks(512).all(|sector| sector.iter().all(|byte| *byte == sector[0])),
        "no sector is torn"
    );
    disk.sync_data().unwrap();
    assert_eq!(fs::read(&path).unwrap(), vec![4; 16 * PAGE]);
}
