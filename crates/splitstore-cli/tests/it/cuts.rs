//! An archive cut off between two of its sections: a whole store, or an error that names file and offset and a store
//! that is as it was. Nothing in between, wherever the cut is.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use ipld_core::ipld::Ipld;
use splitstore::Trigger;
use splitstore::car::CarReader;
use splitstore::folder::{FolderSettings, Opening, StoreFolder};
use splitstore::import::import_car;
use splitstore::ports::KeyEntry;
use splitstore::ports::cid::Cid;

use crate::archives;
use crate::tool::{Tool, engines};

fn new_store(path: &Path) -> StoreFolder {
    let hot = engines().last().unwrap();
    StoreFolder::create(path, &FolderSettings { hot, ..FolderSettings::default() }).unwrap();
    let opening = Opening { trigger: Trigger::Manual, ..Opening::default() };
    StoreFolder::open_with(path, &opening).unwrap()
}

/// Where each section of an archive begins, and its end.
fn boundaries(archive: &Path) -> Vec<u64> {
    let mut offsets: Vec<u64> =
        CarReader::open(archive).unwrap().map(|block| block.unwrap().offset).collect();
    offsets.push(std::fs::metadata(archive).unwrap().len());
    offsets
}

/// Tries all cuts; how many were taken.
fn every_cut(archive: &Path) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(archive).unwrap();
    let cut = dir.path().join("cut.car");
    let mut stores = 0..;
    let mut fresh = || dir.path().join(format!("store-{}", stores.next().unwrap()));
    let mut path: PathBuf = fresh();
    let mut folder = new_store(&path);
    let mut taken = 0;
    for end in boundaries(archive) {
        std::fs::write(&cut, &bytes[..usize::try_from(end).unwrap()]).unwrap();
        match import_car(&folder, &cut, &mut |_| ControlFlow::Continue(())) {
            Ok(_) => {
                let audit = folder.store().audit().unwrap();
                assert!(audit.is_clean() && audit.live_blocks > 0, "cut at {end}: {:?}", audit.violations);
                taken += 1;
                drop(folder);
                std::fs::remove_dir_all(&path).unwrap();
                path = fresh();
                folder = new_store(&path);
            }
            Err(error) => {
                let said = error.to_string();
                assert!(said.contains("cut.car"), "{said}");
                assert!(said.contains("offset"), "cut at {end}: {said}");
                assert_untouched(&folder, &path, end);
            }
        }
    }
    taken
}

fn assert_untouched(folder: &StoreFolder, path: &Path, end: u64) {
    let mut keys: Vec<KeyEntry> = Vec::new();
    folder.hot().keys().unwrap().next_batch(&mut keys, 10).unwrap();
    assert!(keys.is_empty(), "cut at {end}: something was written");
    assert_eq!(folder.head().unwrap(), None);
    assert_eq!(std::fs::read_dir(path.join("work")).unwrap().count(), 0, "cut at {end}: something is left");
}

#[test]
fn a_real_archive_cut_between_sections_is_whole_or_refused() {
    let Some(archive) = archives::real("export40.car") else { return };
    assert!(every_cut(&archive) >= 1);
}

#[test]
fn a_chain_with_children_first_cut_between_sections_is_whole_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("chain.car");
    archives::tiny(&archive);
    assert!(every_cut(&archive) <= 2, "its head comes last, or the object of its key does");
}

#[test]
fn a_chain_with_headers_first_cut_between_sections_is_whole_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("chain.car");
    archives::tiny(&archive);
    let (roots, mut blocks) = in_order(&archive);
    // Headers from the head down, then what is below them, parents before children.
    blocks.reverse();
    blocks.sort_by_key(|(_, data)| !is_header(data));
    archives::write(&archive, &roots, &blocks);
    let taken = every_cut(&archive);
    assert!(taken > 1 && taken < blocks.len() / 2, "{taken} of {}", blocks.len());
}

fn in_order(archive: &Path) -> (Vec<Cid>, Vec<(Cid, Vec<u8>)>) {
    let reader = CarReader::open(archive).unwrap();
    let roots = reader.roots().to_vec();
    (roots, reader.map(|block| block.unwrap()).map(|block| (block.cid, block.data)).collect())
}

fn is_header(data: &[u8]) -> bool {
    data[0] == 0x90
}

#[test]
fn a_cut_ends_the_command_with_code_2_the_file_and_the_offset() {
    let tool = Tool::with_store("");
    let archive = tool.file("chain.car");
    archives::tiny(&archive);
    let (roots, mut blocks) = in_order(&archive);
    blocks.reverse();
    blocks.sort_by_key(|(_, data)| !is_header(data));
    let headers = blocks.iter().filter(|(_, data)| is_header(data)).count();
    archives::write(&archive, &roots, &blocks[..headers - 1]);
    let ran = tool.run_on("--json import", &archive);
    assert_eq!((ran.code, &ran.object()["kind"]), (2, &"broken-chain".into()));
    assert!(ran.err.contains("chain.car") && ran.err.contains("offset"), "{}", ran.err);
    assert!(tool.keys("hot").is_empty());
}

/// More headers than any part of the import remembers at a time, and the two that disagree at both ends.
#[test]
fn headers_that_run_in_a_circle_far_apart_are_refused_before_anything_is_written() {
    let tool = Tool::with_store("");
    archives::tiny(&tool.file("chain.car"));
    let (roots, blocks) = archives::blocks(&tool.file("chain.car"));
    let Ipld::List(fields) = serde_ipld_dagcbor::from_slice(&blocks[&roots[0]]).unwrap() else {
        panic!("a header is a list")
    };
    let header = |height: i128, parent: Cid| {
        let mut fields = fields.clone();
        fields[5] = Ipld::List(vec![Ipld::Link(parent)]);
        fields[7] = Ipld::Integer(height);
        archives::dag(serde_ipld_dagcbor::to_vec(&Ipld::List(fields)).unwrap())
    };
    // 70,000 headers that rise from genesis, and a last one that is not above what it is built on.
    let mut chain = vec![header(0, roots[0])];
    for height in 1..=70_000 {
        chain.push(header(height, chain.last().unwrap().0));
    }
    let low = header(3, chain.last().unwrap().0);
    let top = header(70_010, low.0);
    for order in [false, true] {
        let mut blocks = vec![low.clone()];
        blocks.extend(chain.iter().cloned());
        blocks.push(top.clone());
        if order {
            blocks.reverse();
        }
        archives::write(&tool.file("circle.car"), &[top.0], &blocks);
        let ran = tool.run_on("import", &tool.file("circle.car"));
        ran.refused(
            2,
            &["circle.car", "offset", "height 3", "height 70000", "not below it", &low.0.to_string()],
        );
        assert!(tool.keys("hot").is_empty());
    }
    // Without the last two it is a chain.
    archives::write(&tool.file("chain.car"), &[chain.last().unwrap().0], &chain);
    tool.ok_on("import", &tool.file("chain.car"));
}
