//! A store of blocks in memory that counts its reads, and shows many blocks last first: callers must go by
//! the index.

use std::sync::atomic::{AtomicUsize, Ordering};

use cid::Cid;
use splitstore_domain::BlockKey;
use splitstore_memory::MemoryStore;
use splitstore_ports::{BlockDelete, BlockRead, BlockReadExt, BlockWriteExt, Result};

#[derive(Default)]
pub(crate) struct Store {
    blocks: MemoryStore,
    reads: AtomicUsize,
}

impl Store {
    pub(crate) fn put(&self, cid: &Cid, data: &[u8]) {
        self.blocks.put(cid, data).unwrap();
    }

    pub(crate) fn remove(&self, cid: &Cid) {
        self.blocks.delete_many(&[BlockKey::from(cid)]).unwrap();
    }

    pub(crate) fn get(&self, cid: &Cid) -> Option<Vec<u8>> {
        self.blocks.get(cid).unwrap()
    }

    /// Blocks shown since the last call.
    pub(crate) fn take_reads(&self) -> usize {
        self.reads.swap(0, Ordering::Relaxed)
    }
}

impl BlockRead for Store {
    fn view(&self, cid: &Cid, read: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let found = self.blocks.view(cid, read)?;
        self.reads.fetch_add(usize::from(found), Ordering::Relaxed);
        Ok(found)
    }

    fn view_many(&self, cids: &[Cid], read: &mut dyn FnMut(usize, &[u8])) -> Result<()> {
        for (index, cid) in cids.iter().enumerate().rev() {
            self.view(cid, &mut |data| read(index, data))?;
        }
        Ok(())
    }

    fn has(&self, cid: &Cid) -> Result<bool> {
        self.blocks.has(cid)
    }

    fn size(&self, cid: &Cid) -> Result<Option<u64>> {
        self.blocks.size(cid)
    }
}
