//! Conveniences for one block, on top of the batched ports.

use cid::Cid;

use crate::{Block, BlockRead, BlockWrite, Result};

/// Owned reads.
pub trait BlockReadExt: BlockRead {
    /// A copy of the block's data.
    fn get(&self, cid: &Cid) -> Result<Option<Vec<u8>>> {
        let mut data = None;
        self.view(cid, &mut |bytes| data = Some(bytes.to_vec()))?;
        Ok(data)
    }

    /// Copies of the blocks that are there, each at its index in `cids`.
    fn get_many(&self, cids: &[Cid]) -> Result<Vec<Option<Vec<u8>>>> {
        let mut found = vec![None; cids.len()];
        self.view_many(cids, &mut |index, bytes| {
            if let Some(place) = found.get_mut(index) {
                *place = Some(bytes.to_vec());
            }
        })?;
        Ok(found)
    }
}

impl<T: BlockRead + ?Sized> BlockReadExt for T {}

/// Writes of one block.
pub trait BlockWriteExt: BlockWrite {
    /// Writes one block.
    fn put(&self, cid: &Cid, data: &[u8]) -> Result<()> {
        self.put_many(&[Block { cid: *cid, data }])
    }
}

impl<T: BlockWrite + ?Sized> BlockWriteExt for T {}
