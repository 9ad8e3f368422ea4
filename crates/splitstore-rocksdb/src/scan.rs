//! Scanning keys. An iterator of the engine is a snapshot of its own, taken when it is made.

use rocksdb::{DBRawIterator, ReadOptions};
use splitstore_domain::note;
use splitstore_ports::{KeyCursor, KeyEntry, KeyScan, Result};

use crate::RocksHot;
use crate::error::failed;

/// Bytes read ahead: scans are sequential, disks like it.
pub(crate) const READAHEAD: usize = 4 << 20;

impl KeyScan for RocksHot {
    fn keys(&self) -> Result<Box<dyn KeyCursor + '_>> {
        let mut options = ReadOptions::default();
        options.set_readahead_size(READAHEAD);
        // A scan of everything would only push out what reads use.
        options.fill_cache(false);
        options.set_iterate_upper_bound(note::FIRST);
        let mut iter = self.db.raw_iterator_opt(options);
        iter.seek_to_first();
        Ok(Box::new(Cursor { store: self, iter }))
    }
}

struct Cursor<'a> {
    store: &'a RocksHot,
    iter: DBRawIterator<'a>,
}

impl KeyCursor for Cursor<'_> {
    fn next_batch(&mut self, batch: &mut Vec<KeyEntry>, max: usize) -> Result<()> {
        for _ in 0..max {
            let Some((key, value)) = self.iter.item() else { return self.ended() };
            batch.push(self.entry(key, value)?);
            self.iter.next();
        }
        Ok(())
    }
}

impl Cursor<'_> {
    /// The end, or where the engine found damage.
    fn ended(&self) -> Result<()> {
        let path = self.store.path.display();
        self.iter.status().map_err(|error| failed(format!("scan keys of hot tier {path}"), error))
    }

    /// Of the value only the first bytes are looked at.
    fn entry(&self, key: &[u8], value: &[u8]) -> Result<KeyEntry> {
        let key = self.store.decode_key(key)?;
        let (codec, data) = self.store.decode(&key, value)?;
        Ok(KeyEntry { key, codec, size: data.len() as u64 })
    }
}
