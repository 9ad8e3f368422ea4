//! Blocks of the real archives: a reader of plain `CARv1` of its own, since the crate that reads archives
//! stands above this one.

use std::path::PathBuf;

use cid::Cid;
use splitstore_domain::ObjectKind;

/// The DAG-CBOR blocks of the plain archives, or nothing where the real data is not there.
pub(crate) fn dags() -> Vec<(Cid, Vec<u8>)> {
    let names = ["export40.car", "calibnet-genesis.car"];
    let blocks = names.into_iter().flat_map(blocks_of);
    blocks.filter(|(cid, _)| ObjectKind::of(cid) == ObjectKind::Dag).collect()
}

/// All blocks of one archive.
pub(crate) fn blocks_of(name: &str) -> Vec<(Cid, Vec<u8>)> {
    let data = std::env::var_os("SPLITSTORE_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    let path = data.join("filecoin").join(name);
    let Ok(archive) = std::fs::read(&path) else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "no real data at {}", path.display());
        println!("skipped: no real data");
        return Vec::new();
    };
    let (_header, mut rest) = section(&archive);
    let mut blocks = Vec::new();
    while !rest.is_empty() {
        let (block, behind) = section(rest);
        let mut data = block;
        let cid = Cid::read_bytes(&mut data).unwrap();
        blocks.push((cid, data.to_vec()));
        rest = behind;
    }
    blocks
}

/// A varint, that many bytes, and what is behind them.
fn section(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (mut len, mut shift) = (0, 0);
    for (index, byte) in bytes.iter().enumerate() {
        len |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return bytes[index + 1..].split_at(len);
        }
    }
    panic!("archive ends inside a length")
}
