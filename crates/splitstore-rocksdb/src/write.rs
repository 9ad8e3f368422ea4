//! Writing and deleting blocks: one write batch per call, logged, synced by `sync` alone.

use std::sync::atomic::Ordering;

use rocksdb::WriteBatch;
use splitstore_domain::{BlockKey, record};
use splitstore_ports::{Block, BlockDelete, BlockWrite, ErrorKind, PortError, Result};

use crate::RocksHot;
use crate::error::failed;

/// What a batch holds besides data: its head, and of each record kind, two lengths, key and codec.
const HEAD: usize = 12;
const AROUND_A_RECORD: usize = 64;

/// The engine counts a value's bytes in 32 bits.
const RECORD_MAX: usize = u32::MAX as usize;

impl BlockWrite for RocksHot {
    fn put_many(&self, blocks: &[Block<'_>]) -> Result<()> {
        self.write(batch_of(blocks, 0)?, "put")
    }

    fn sync(&self) -> Result<()> {
        self.refuse_after_failed_sync("sync")?;
        self.db.flush_wal(true).map_err(|error| {
            self.sync_failed.store(true, Ordering::SeqCst);
            failed(format!("sync hot tier {}", self.path.display()), error)
        })
    }
}

impl BlockDelete for RocksHot {
    fn delete_many(&self, keys: &[BlockKey]) -> Result<()> {
        let mut batch = WriteBatch::default();
        for key in keys {
            batch.delete(key.as_bytes());
        }
        self.write(batch, "delete")
    }
}

/// The batch that puts these blocks, with room for so many bytes more: one that grows is copied as often as it doubles.
pub(crate) fn batch_of(blocks: &[Block<'_>], more: usize) -> Result<WriteBatch> {
    let mut bytes = HEAD + more;
    for block in blocks {
        if record::encoded_len(block.cid.codec(), block.data.len()) > RECORD_MAX {
            let attempt = format!("put block {} of {} bytes into rocksdb", block.cid, block.data.len());
            return Err(PortError::bare(ErrorKind::Unsupported, attempt));
        }
        bytes += AROUND_A_RECORD + block.data.len();
    }
    let mut batch = WriteBatch::with_capacity_bytes(bytes);
    let mut value = Vec::new();
    for block in blocks {
        value.clear();
        record::encode(block.cid.codec(), block.data, &mut value);
        batch.put(BlockKey::from(&block.cid).as_bytes(), &value);
    }
    Ok(batch)
}

impl RocksHot {
    pub(crate) fn write(&self, batch: WriteBatch, verb: &str) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        self.refuse_after_failed_sync(verb)?;
        let blocks = batch.len();
        self.db.write(batch).map_err(|error| {
            failed(format!("{verb} {blocks} blocks in hot tier {}", self.path.display()), error)
        })
    }

    fn refuse_after_failed_sync(&self, verb: &str) -> Result<()> {
        if self.sync_failed.load(Ordering::SeqCst) {
            let attempt =
                format!("{verb} in hot tier {}, whose last sync failed: reopen it", self.path.display());
            return Err(PortError::bare(ErrorKind::Unavailable, attempt));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use splitstore_conformance::sample::block;
    use splitstore_ports::{BlockReadExt, BlockWriteExt};

    use super::*;
    use crate::RocksOptions;

    #[test]
    fn after_a_failed_sync_writes_are_refused_until_reopened_and_reads_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let open = || RocksHot::open(folder.path(), RocksOptions::default()).unwrap();
        let ((cid, data), (other, _)) = (block(1), block(2));
        let store = open();
        store.put(&cid, &data).unwrap();
        // What a failed sync leaves behind: the kernel cannot be made to fail here.
        store.sync_failed.store(true, Ordering::SeqCst);
        let key = BlockKey::from(&cid);
        for refused in [store.put(&other, &[1]), store.delete_many(&[key]), store.sync()] {
            let error = refused.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert!(error.attempt().ends_with("whose last sync failed: reopen it"), "{error}");
        }
        assert_eq!(store.get(&cid).unwrap(), Some(data.clone()));
        drop(store);
        let store = open();
        store.put(&other, &[1]).unwrap();
        store.sync().unwrap();
        assert_eq!(store.get(&cid).unwrap(), Some(data));
    }
}
