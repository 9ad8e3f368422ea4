//! Scanning keys over a snapshot, which the engine's iterator holds. (A range of a keyspace is none, in 3.1: it sees
//! what comes later.)

use fjall::{Guard, Iter, Readable};
use splitstore_domain::{BlockKey, note};
use splitstore_ports::{ErrorKind, KeyCursor, KeyEntry, KeyScan, PortError, Result};

use crate::FjallHot;
use crate::error::failed;

impl KeyScan for FjallHot {
    fn keys(&self) -> Result<Box<dyn KeyCursor + '_>> {
        Ok(Box::new(Cursor { store: self, iter: self.db.snapshot().range(&self.blocks, ..note::FIRST) }))
    }
}

struct Cursor<'a> {
    store: &'a FjallHot,
    iter: Iter,
}

impl KeyCursor for Cursor<'_> {
    fn next_batch(&mut self, batch: &mut Vec<KeyEntry>, max: usize) -> Result<()> {
        for record in self.iter.by_ref().take(max) {
            batch.push(self.store.entry(record)?);
        }
        Ok(())
    }
}

impl FjallHot {
    /// Of the value only the first bytes are looked at; it is not copied.
    fn entry(&self, record: Guard) -> Result<KeyEntry> {
        let path = self.path.display();
        let (key, value) =
            record.into_inner().map_err(|error| failed(format!("scan keys of hot tier {path}"), error))?;
        let key = BlockKey::from_bytes(&key).map_err(|error| {
            PortError::new(ErrorKind::Corrupt, format!("read key {key:02x?} of hot tier {path}"), error)
        })?;
        let (codec, data) = self.decode(&key, &value)?;
        Ok(KeyEntry { key, codec, size: data.len() as u64 })
    }
}
