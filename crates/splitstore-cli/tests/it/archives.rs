//! Archives: the real ones, where they are; generated ones; and sections to damage.

use std::path::{Path, PathBuf};

use splitstore::car::{CarReader, CarWriter};
use splitstore::domain::digest::{BLAKE2B_256, blake2b_256};
use splitstore::domain::object::DAG_CBOR;
use splitstore::ports::cid::Cid;
use splitstore::ports::cid::multihash::Multihash;
use splitstore_fixtures::oracle::Blocks;
use splitstore_fixtures::{ChainSpec, Generated, write_car};

/// The real archive of this name; `None`, said aloud, where there is no real data.
pub(crate) fn real(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data = std::env::var_os("SPLITSTORE_DATA").map_or_else(beside, PathBuf::from);
    let path = data.join("filecoin").join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "no real data at {}", path.display());
    println!("skipped: no real data");
    None
}

/// A small generated chain.
pub(crate) fn small(path: &Path) -> Generated {
    write_car(&ChainSpec { epochs: 40, actors: 100, ..ChainSpec::default() }, path).unwrap()
}

/// A generated chain of a few hundred blocks.
pub(crate) fn tiny(path: &Path) -> Generated {
    let spec = ChainSpec {
        epochs: 6,
        actors: 30,
        messages_per_block: 2,
        max_blocks_per_tipset: 2,
        ..Default::default()
    };
    write_car(&spec, path).unwrap()
}

pub(crate) fn blocks(path: &Path) -> (Vec<Cid>, Blocks) {
    let reader = CarReader::open(path).unwrap();
    let roots = reader.roots().to_vec();
    (roots, reader.map(|block| block.unwrap()).map(|block| (block.cid, block.data)).collect())
}

pub(crate) fn write(path: &Path, roots: &[Cid], blocks: &[(Cid, Vec<u8>)]) {
    let mut car = CarWriter::create(path, roots).unwrap();
    for (cid, data) in blocks {
        car.write_block(cid, data).unwrap();
    }
    car.finish().unwrap();
}

/// A DAG-CBOR block.
pub(crate) fn dag(data: Vec<u8>) -> (Cid, Vec<u8>) {
    (Cid::new_v1(DAG_CBOR, Multihash::wrap(BLAKE2B_256, &blake2b_256(&data)).unwrap()), data)
}
