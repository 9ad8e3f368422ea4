//! What clauses do to a store, in one line each.

use cid::Cid;
use splitstore_domain::BlockKey;
use splitstore_ports::{Block, BlockRead, BlockReadExt, BlockWrite, KeyEntry, KeyScan};

use crate::Fixture;

/// What both tiers can do.
pub trait Blocks: BlockRead + BlockWrite + KeyScan {}

impl<T: BlockRead + BlockWrite + KeyScan> Blocks for T {}

/// Opens the fixture's store, which must work.
pub(crate) fn open<F: Fixture>(fixture: &F) -> F::Store {
    fixture.open().expect("open the store under test")
}

/// Writes blocks as one batch.
pub(crate) fn put_all(store: &impl BlockWrite, blocks: &[(Cid, Vec<u8>)]) {
    let batch: Vec<_> = blocks.iter().map(|(cid, data)| Block { cid: *cid, data }).collect();
    store.put_many(&batch).expect("put a batch");
}

/// Writes one block.
pub(crate) fn put(store: &impl BlockWrite, cid: &Cid, data: &[u8]) {
    store.put_many(&[Block { cid: *cid, data }]).expect("put a block");
}

/// Reads one block.
pub(crate) fn get(store: &impl BlockRead, cid: &Cid) -> Option<Vec<u8>> {
    store.get(cid).expect("read a block")
}

/// All of these blocks must be there, byte for byte.
pub(crate) fn assert_holds(store: &impl BlockRead, blocks: &[(Cid, Vec<u8>)]) {
    for (cid, data) in blocks {
        assert_eq!(get(store, cid).as_ref(), Some(data), "{cid} must be there unchanged");
    }
}

/// None of these blocks may be there, whichever way one asks.
pub(crate) fn assert_lacks(store: &impl BlockRead, blocks: &[(Cid, Vec<u8>)]) {
    for (cid, _) in blocks {
        assert_eq!(get(store, cid), None, "{cid} must not be there");
        assert!(!store.has(cid).expect("ask for a block"), "{cid} must not be there");
        assert_eq!(store.size(cid).expect("ask for a size"), None, "{cid} must have no size");
    }
}

/// The keys of blocks.
pub(crate) fn keys_of(blocks: &[(Cid, Vec<u8>)]) -> Vec<BlockKey> {
    blocks.iter().map(|(cid, _)| BlockKey::from(cid)).collect()
}

/// The keys of blocks as a scan must give them.
pub(crate) fn sorted_keys_of(blocks: &[(Cid, Vec<u8>)]) -> Vec<BlockKey> {
    let mut keys = keys_of(blocks);
    keys.sort();
    keys
}

/// A whole scan, `max` keys at a time.
pub(crate) fn scan(store: &impl KeyScan, max: usize) -> Vec<KeyEntry> {
    let mut cursor = store.keys().expect("start a scan");
    let mut entries = Vec::new();
    loop {
        let before = entries.len();
        cursor.next_batch(&mut entries, max).expect("scan on");
        assert!(
            entries.len() - before <= max,
            "a batch of at most {max} appended {}",
            entries.len() - before
        );
        if entries.len() == before {
            return entries;
        }
    }
}

/// The keys of a whole scan.
pub(crate) fn scanned_keys(store: &impl KeyScan) -> Vec<BlockKey> {
    scan(store, 64).into_iter().map(|entry| entry.key).collect()
}
