//! Reading blocks: views of the engine's own memory, pinned while the callback runs.

use cid::Cid;
use splitstore_domain::BlockKey;
use splitstore_ports::{BlockRead, Result};

use crate::RocksHot;
use crate::error::failed;

/// Keys per call of the engine's batched read; bounds what is pinned at a time.
const READ_BATCH: usize = 256;

impl BlockRead for RocksHot {
    fn view(&self, cid: &Cid, read: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let key = BlockKey::from(cid);
        match self.db.get_pinned(key.as_bytes()) {
            Ok(None) => return Ok(false),
            Ok(Some(value)) => read(self.decode(&key, &value)?.1),
            Err(error) => read(&self.salvage_or(cid, &key, error)?),
        }
        Ok(true)
    }

    fn view_many(&self, cids: &[Cid], read: &mut dyn FnMut(usize, &[u8])) -> Result<()> {
        // In key order the engine visits each table, and each of its blocks, once.
        let mut wanted: Vec<(BlockKey, usize)> =
            cids.iter().enumerate().map(|(index, cid)| (BlockKey::from(cid), index)).collect();
        wanted.sort_unstable();
        wanted.chunks(READ_BATCH).try_for_each(|part| self.view_sorted(part, cids, read))
    }

    fn has(&self, cid: &Cid) -> Result<bool> {
        let key = BlockKey::from(cid);
        match self.db.get_pinned(key.as_bytes()) {
            Ok(value) => Ok(value.is_some()),
            Err(error) => self.salvage_or(cid, &key, error).map(|_| true),
        }
    }

    fn size(&self, cid: &Cid) -> Result<Option<u64>> {
        let mut size = 0;
        let found = self.view(cid, &mut |data| size = data.len() as u64)?;
        Ok(found.then_some(size))
    }
}

impl RocksHot {
    fn view_sorted(
        &self,
        part: &[(BlockKey, usize)],
        cids: &[Cid],
        read: &mut dyn FnMut(usize, &[u8]),
    ) -> Result<()> {
        let keys = part.iter().map(|(key, _)| key.as_bytes());
        let found = self.db.batched_multi_get_cf(self.family(), keys, true);
        for ((key, index), value) in part.iter().zip(found) {
            match value {
                Ok(None) => {}
                Ok(Some(value)) => read(*index, self.decode(key, &value)?.1),
                Err(error) => read(*index, &self.salvage_or(&cids[*index], key, error)?),
            }
        }
        Ok(())
    }

    /// What is whole in a damaged page, or the error.
    fn salvage_or(&self, cid: &Cid, key: &BlockKey, error: rocksdb::Error) -> Result<Vec<u8>> {
        self.salvage(cid, key, &error)
            .ok_or_else(|| failed(format!("read block {cid} from hot tier {}", self.path.display()), error))
    }
}
