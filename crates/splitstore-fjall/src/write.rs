//! Writing and deleting blocks: one journalled batch per call, synced by `sync` alone.
//!
//! The refusal of writes after a failed one is the engine's: any failed write or sync of the journal poisons it.

use fjall::{OwnedWriteBatch, PersistMode};
use splitstore_domain::{BlockKey, record};
use splitstore_ports::{Block, BlockDelete, BlockWrite, ErrorKind, PortError, Result};

use crate::FjallHot;
use crate::error::failed;

/// The engine counts a value's bytes in 32 bits.
const RECORD_MAX: usize = u32::MAX as usize;

impl BlockWrite for FjallHot {
    fn put_many(&self, blocks: &[Block<'_>]) -> Result<()> {
        let mut batch = self.batch(blocks.len());
        self.put_into(&mut batch, blocks)?;
        self.commit(batch, "put")
    }

    fn sync(&self) -> Result<()> {
        let synced = self.db.persist(PersistMode::SyncAll);
        synced.map_err(|error| failed(format!("sync hot tier {}", self.path.display()), error))
    }
}

impl BlockDelete for FjallHot {
    fn delete_many(&self, keys: &[BlockKey]) -> Result<()> {
        let mut batch = self.batch(keys.len());
        for key in keys {
            batch.remove(&self.blocks, key.as_bytes());
        }
        self.commit(batch, "delete")
    }
}

impl FjallHot {
    /// A batch whose commit hands the journal to the kernel, so that a killed process loses nothing.
    pub(crate) fn batch(&self, capacity: usize) -> OwnedWriteBatch {
        OwnedWriteBatch::with_capacity(self.db.clone(), capacity).durability(Some(PersistMode::Buffer))
    }

    pub(crate) fn put_into(&self, batch: &mut OwnedWriteBatch, blocks: &[Block<'_>]) -> Result<()> {
        let mut value = Vec::new();
        for block in blocks {
            let codec = block.cid.codec();
            if record::encoded_len(codec, block.data.len()) > RECORD_MAX {
                let attempt = format!("put block {} of {} bytes into fjall", block.cid, block.data.len());
                return Err(PortError::bare(ErrorKind::Unsupported, attempt));
            }
            value.clear();
            record::encode(codec, block.data, &mut value);
            batch.insert(&self.blocks, BlockKey::from(&block.cid).as_bytes(), value.as_slice());
        }
        Ok(())
    }

    pub(crate) fn commit(&self, batch: OwnedWriteBatch, verb: &str) -> Result<()> {
        let blocks = batch.len();
        batch.commit().map_err(|error| {
            failed(format!("{verb} {blocks} blocks in hot tier {}", self.path.display()), error)
        })
    }
}
