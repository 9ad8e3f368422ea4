//! Our own files with a ledger: the contract of the port, and what a power cut takes back.

use std::fs;
use std::path::{Path, PathBuf};

use splitstore_conformance::file_system;
use splitstore_faultfs::{Dice, LedgerFiles, Settled, settle};
use splitstore_ports::FileSystem;
use tempfile::TempDir;

file_system!(ledger_files, in_a_folder_of_its_own);

fn in_a_folder_of_its_own() -> LedgerFiles {
    LedgerFiles::new(&tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap().keep().join("ledger"))
        .unwrap()
}

/// A folder with files, and a ledger beside it.
struct Place {
    folder: TempDir,
    files: LedgerFiles,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("own")).unwrap();
        let files = LedgerFiles::new(&folder.path().join("ledger")).unwrap();
        Self { folder, files }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join("own").join(name)
    }

    fn write(&self, name: &str, data: &[u8]) {
        let mut file = self.files.append(&self.at(name)).unwrap();
        file.write_all(data).unwrap();
    }

    fn sync(&self, name: &str) {
        self.files.append(&self.at(name)).unwrap().sync().unwrap();
    }

    fn sync_names(&self) {
        self.files.sync_dir(&self.folder.path().join("own")).unwrap();
    }

    fn cut(&self, seed: u64) -> Settled {
        settle(&self.folder.path().join("ledger"), &mut Dice::new(seed, 0)).unwrap()
    }
}

/// What is left of a file after the power went, for many seeds.
fn outcomes(prepare: impl Fn(&Place), look: impl Fn(&Path) -> Option<Vec<u8>>) -> Vec<Option<Vec<u8>>> {
    let outcome = |seed| {
        let place = Place::new();
        prepare(&place);
        place.cut(seed);
        look(&place.at("file"))
    };
    let mut all: Vec<_> = (0..64).map(outcome).collect();
    all.sort();
    all.dedup();
    all
}

fn data(path: &Path) -> Option<Vec<u8>> {
    fs::read(path).ok()
}

#[test]
fn synced_data_with_a_synced_name_always_stays() {
    let prepare = |place: &Place| {
        place.write("file", b"old");
        place.sync_names();
        place.sync("file");
    };
    assert_eq!(outcomes(prepare, data), [Some(b"old".to_vec())]);
}

#[test]
fn what_follows_the_last_sync_is_lost_in_part_or_whole_or_left_as_zeros() {
    let prepare = |place: &Place| {
        place.write("file", b"old");
        place.sync_names();
        place.sync("file");
        place.write("file", &[b'N'; 1000]);
    };
    let left = outcomes(prepare, data);
    assert!(left.iter().flatten().all(|left| left.starts_with(b"old")), "{left:?}");
    let left: Vec<&[u8]> = left.iter().flatten().map(|left| &left[3..]).collect();
    let zeros = |left: &[u8]| left.len() - left.iter().take_while(|byte| **byte != 0).count();
    let whole = |left: &&&[u8]| left.len() == 1000;
    assert_eq!(left[0], b"", "all of it may be lost");
    assert!(left.iter().filter(whole).any(|left| zeros(left) == 0), "all of it may be there");
    assert!(left.iter().any(|left| !left.is_empty() && !whole(&left)), "a part may be there");
    let sectors = left.iter().filter(whole).filter(|left| zeros(left) > 0);
    let edges: Vec<usize> = sectors.map(|left| 1003 - zeros(left)).collect();
    assert!(!edges.is_empty() && edges.iter().all(|edge| edge % 512 == 0), "{edges:?}");
}

#[test]
fn a_name_that_was_not_synced_may_go_and_take_synced_data_along() {
    let prepare = |place: &Place| {
        place.write("file", b"old");
        place.sync("file");
    };
    assert_eq!(outcomes(prepare, data), [None, Some(b"old".to_vec())]);
}

#[test]
fn a_removal_that_was_not_synced_may_be_undone() {
    let made = |place: &Place| {
        place.write("file", b"old");
        place.sync("file");
        place.sync_names();
        place.files.remove(&place.at("file")).unwrap();
    };
    assert_eq!(outcomes(made, data), [None, Some(b"old".to_vec())]);
    let synced = |place: &Place| {
        made(place);
        place.sync_names();
    };
    assert_eq!(outcomes(synced, data), [None]);
}

#[test]
fn a_folder_that_was_made_may_go_and_one_that_was_removed_may_return() {
    let make = |place: &Place| {
        place.files.create_dir(&place.at("file/deep")).unwrap();
        place.write("file/deep/inner", b"1");
        place.sync("file/deep/inner");
    };
    let inner = |path: &Path| data(&path.join("deep/inner"));
    assert_eq!(outcomes(make, inner), [None, Some(b"1".to_vec())]);
    let removed = |place: &Place| {
        make(place);
        for folder in ["file/deep", "file", ""] {
            place.files.sync_dir(&place.at(folder)).unwrap();
        }
        place.files.remove_dir(&place.at("file")).unwrap();
    };
    assert_eq!(outcomes(removed, inner), [None, Some(b"1".to_vec())]);
}

#[test]
fn a_power_cut_is_settled_once_and_leaves_neither_ledger_nor_removed_files() {
    let place = Place::new();
    place.write("file", b"old");
    place.files.remove(&place.at("file")).unwrap();
    place.cut(1);
    let left: Vec<_> =
        fs::read_dir(place.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["own"]);
    assert_eq!(place.cut(1), Settled::default());
}
