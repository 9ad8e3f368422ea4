//! Reading blocks: views of the engine's own memory, pinned while the callback runs.

use cid::Cid;
use rocksdb::DBPinnableSlice;
use splitstore_domain::BlockKey;
use splitstore_ports::{BlockRead, PortError, Result};

use crate::RocksHot;
use crate::error::failed;

/// Keys per call of the engine's batched read; bounds what is pinned at a time.
const READ_BATCH: usize = 256;

impl BlockRead for RocksHot {
    fn view(&self, cid: &Cid, read: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let key = BlockKey::from(cid);
        let Some(value) = self.record(cid, &key)? else { return Ok(false) };
        read(self.decode(&key, &value)?.1);
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
        Ok(self.record(cid, &BlockKey::from(cid))?.is_some())
    }

    fn size(&self, cid: &Cid) -> Result<Option<u64>> {
        let key = BlockKey::from(cid);
        let Some(value) = self.record(cid, &key)? else { return Ok(None) };
        Ok(Some(self.decode(&key, &value)?.1.len() as u64))
    }
}

impl RocksHot {
    fn record(&self, cid: &Cid, key: &BlockKey) -> Result<Option<DBPinnableSlice<'_>>> {
        self.db.get_pinned(key.as_bytes()).map_err(|error| self.unread(cid, error))
    }

    fn view_sorted(
        &self,
        part: &[(BlockKey, usize)],
        cids: &[Cid],
        read: &mut dyn FnMut(usize, &[u8]),
    ) -> Result<()> {
        let keys = part.iter().map(|(key, _)| key.as_bytes());
        let found = self.db.batched_multi_get_cf(self.family(), keys, true);
        for ((key, index), value) in part.iter().zip(found) {
            if let Some(value) = value.map_err(|error| self.unread(&cids[*index], error))? {
                read(*index, self.decode(key, &value)?.1);
            }
        }
        Ok(())
    }

    fn unread(&self, cid: &Cid, error: rocksdb::Error) -> PortError {
        failed(format!("read block {cid} from hot tier {}", self.path.display()), error)
    }
}
