//! Reading blocks: views of the engine's own memory, held by count while the callback runs.

use cid::Cid;
use fjall::Slice;
use splitstore_domain::BlockKey;
use splitstore_ports::{BlockRead, PortError, Result};

use crate::FjallHot;
use crate::error::failed;

impl BlockRead for FjallHot {
    fn view(&self, cid: &Cid, read: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let key = BlockKey::from(cid);
        let Some(value) = self.record(cid, &key)? else { return Ok(false) };
        read(self.decode(&key, &value)?.1);
        Ok(true)
    }

    fn view_many(&self, cids: &[Cid], read: &mut dyn FnMut(usize, &[u8])) -> Result<()> {
        // The engine has no batched read; in key order neighbours find their data block in the cache.
        let mut wanted: Vec<(BlockKey, usize)> =
            cids.iter().enumerate().map(|(index, cid)| (BlockKey::from(cid), index)).collect();
        wanted.sort_unstable();
        for (key, index) in &wanted {
            if let Some(value) = self.record(&cids[*index], key)? {
                read(*index, self.decode(key, &value)?.1);
            }
        }
        Ok(())
    }

    fn has(&self, cid: &Cid) -> Result<bool> {
        self.blocks.contains_key(BlockKey::from(cid).as_bytes()).map_err(|error| self.unread(cid, error))
    }

    fn size(&self, cid: &Cid) -> Result<Option<u64>> {
        let key = BlockKey::from(cid);
        let Some(value) = self.record(cid, &key)? else { return Ok(None) };
        Ok(Some(self.decode(&key, &value)?.1.len() as u64))
    }
}

impl FjallHot {
    fn record(&self, cid: &Cid, key: &BlockKey) -> Result<Option<Slice>> {
        self.blocks.get(key.as_bytes()).map_err(|error| self.unread(cid, error))
    }

    fn unread(&self, cid: &Cid, error: fjall::Error) -> PortError {
        failed(format!("read block {cid} from hot tier {}", self.path.display()), error)
    }
}
