//! Blocks and stores to test with.

use std::path::Path;

use cid::Cid;
use splitstore_domain::BlockKey;
use splitstore_fjall::{FjallHot, FjallOptions};
use splitstore_ports::{Block, BlockWrite};

pub(crate) fn open(path: &Path) -> FjallHot {
    FjallHot::open(path, FjallOptions::default()).unwrap()
}

pub(crate) fn put(store: &impl BlockWrite, blocks: &[(Cid, Vec<u8>)]) {
    let batch: Vec<_> = blocks.iter().map(|(cid, data)| Block { cid: *cid, data }).collect();
    store.put_many(&batch).unwrap();
}

pub(crate) fn keys(blocks: &[(Cid, Vec<u8>)]) -> Vec<BlockKey> {
    blocks.iter().map(|(cid, _)| BlockKey::from(cid)).collect()
}
