//! Archives of real chains: every hash is checked on the way.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cid::Cid;
use splitstore_car::{CarReader, Compression, Version};

/// Path of a real archive; `None` (said on the terminal) where there is none. In CI that fails.
fn real(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("SPLITSTORE_DATA").map_or(beside, PathBuf::from);
    let path = folder.join("filecoin").join(name);
    if path.is_file() {
        return Some(path);
    }
    let in_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(!in_ci, "no real data in CI: {}", path.display());
    println!("skipped: no real data");
    None
}

fn read_all(path: &Path) -> (CarReader, Vec<(Cid, Vec<u8>)>) {
    let mut reader = CarReader::open(path).unwrap();
    let mut blocks = Vec::new();
    while let Some(block) = reader.next_block().unwrap() {
        blocks.push((block.cid, block.data));
    }
    (reader, blocks)
}

#[test]
fn plain_archives_hold_the_blocks_they_are_known_to_hold() {
    for (name, count) in [("export40.car", 1581), ("calibnet-genesis.car", 1207)] {
        let Some(path) = real(name) else { return };
        let (reader, blocks) = read_all(&path);
        assert_eq!(blocks.len(), count, "{name}");
        assert_eq!((reader.format().version, reader.format().compression), (Version::V1, Compression::None));
        assert_eq!(Some(reader.bytes_read()), reader.total_bytes());
        assert!(reader.roots().iter().all(|root| blocks.iter().any(|(cid, _)| cid == root)), "{name}");
    }
}

#[test]
fn the_plain_and_the_framed_chain_hold_the_same_blocks() {
    let (Some(plain), Some(framed)) = (real("chain4.car.zst"), real("chain4.forest.car.zst")) else { return };
    let (plain, plain_blocks) = read_all(&plain);
    let (framed, framed_blocks) = read_all(&framed);
    assert_eq!(plain.roots(), framed.roots());
    assert_eq!(plain_blocks.len(), framed_blocks.len());
    let plain_set: BTreeSet<_> = plain_blocks.into_iter().collect();
    assert_eq!(plain_set, framed_blocks.into_iter().collect());
    assert_eq!(plain_set.len(), 1222);
    assert_eq!(Some(framed.bytes_read()), framed.total_bytes());
}

#[test]
fn a_v2_inside_zstd_is_read_up_to_its_index() {
    let Some(path) = real("carv2.car.zst") else { return };
    let (reader, blocks) = read_all(&path);
    assert_eq!((reader.format().version, reader.format().compression), (Version::V2, Compression::Zstd));
    assert_eq!(blocks.len(), 7153);
    assert!(reader.roots().iter().all(|root| blocks.iter().any(|(cid, _)| cid == root)));
}

#[test]
fn a_real_archive_written_again_is_the_same_file() {
    let Some(path) = real("export40.car") else { return };
    let (reader, blocks) = read_all(&path);
    let mut writer = splitstore_car::CarWriter::new(Vec::new(), reader.roots()).unwrap();
    for (cid, data) in &blocks {
        writer.write_block(cid, data).unwrap();
    }
    let same = writer.finish().unwrap() == std::fs::read(path).unwrap();
    assert!(same, "byte for byte");
}
