//! Notes: in the table of the blocks, behind them all, in the batch of the blocks that they are about.
//!
//! One table, so that a flush of the engine never writes a block without its note. Their numbers grow while a
//! handle is open, and go on behind the last one that it finds.

use std::path::Path;
use std::sync::atomic::Ordering;

use rocksdb::{DB, ReadOptions, WriteBatch};
use splitstore_domain::note;
use splitstore_ports::{Block, Notes, Result};

use crate::RocksHot;
use crate::error::failed;
use crate::write::batch_of;

/// Notes removed in one batch.
const CLEARED_AT_ONCE: usize = 4096;

/// Sees the key of a note, and the note.
type See<'a> = dyn FnMut(&[u8], &[u8]) -> Result<()> + 'a;

impl Notes for RocksHot {
    fn put_many_noting(&self, blocks: &[Block<'_>], note: &[u8]) -> Result<()> {
        let mut batch = batch_of(blocks)?;
        batch.put(note::key(self.next_note.fetch_add(1, Ordering::SeqCst)), note);
        self.write(batch, "put")
    }

    fn notes(&self, read: &mut dyn FnMut(&[u8])) -> Result<()> {
        self.each_note(&mut |_, note| {
            read(note);
            Ok(())
        })
    }

    fn clear_notes(&self) -> Result<()> {
        let mut batch = WriteBatch::default();
        self.each_note(&mut |key, _| {
            batch.delete(key);
            if batch.len() == CLEARED_AT_ONCE {
                self.write(std::mem::take(&mut batch), "delete")
            } else {
                Ok(())
            }
        })?;
        self.write(batch, "delete")
    }
}

impl RocksHot {
    /// Shows keys and values in a snapshot of its own.
    fn each_note(&self, see: &mut See<'_>) -> Result<()> {
        let mut iter = self.db.raw_iterator_opt(from_the_first());
        iter.seek_to_first();
        while let Some((key, note)) = iter.item() {
            see(key, note)?;
            iter.next();
        }
        let path = self.path.display();
        iter.status().map_err(|error| failed(format!("read notes of hot tier {path}"), error))
    }
}

/// The number behind the last note that is there. Without notes this reads no block of data, which may be damaged:
/// that is for its reader to hear.
pub(crate) fn next(db: &DB, path: &Path) -> Result<u64> {
    let mut iter = db.raw_iterator_opt(from_the_first());
    iter.seek_to_first();
    if iter.valid() {
        iter.seek_to_last();
    }
    iter.status().map_err(|error| failed(format!("find the last note of {}", path.display()), error))?;
    Ok(iter.key().and_then(note::number).map_or(0, |last| last.saturating_add(1)))
}

fn from_the_first() -> ReadOptions {
    let mut options = ReadOptions::default();
    options.set_iterate_lower_bound(note::FIRST);
    options
}
