//! Notes: in the keyspace of the blocks, behind them all, in the batch of the blocks that they are about.
//!
//! One keyspace, so that a flush of the engine never writes a block without its note. Their numbers grow while a
//! handle is open, and go on behind the last one that it finds.

use std::path::Path;
use std::sync::atomic::Ordering;

use fjall::{Database, Keyspace, Readable};
use splitstore_domain::note;
use splitstore_ports::{Block, Notes, PortError, Result};

use crate::FjallHot;
use crate::error::failed;

/// Notes removed in one batch.
const CLEARED_AT_ONCE: usize = 4096;

impl Notes for FjallHot {
    fn put_many_noting(&self, blocks: &[Block<'_>], note: &[u8]) -> Result<()> {
        let mut batch = self.batch(blocks.len() + 1);
        self.put_into(&mut batch, blocks)?;
        batch.insert(&self.blocks, note::key(self.next_note.fetch_add(1, Ordering::SeqCst)), note);
        self.commit(batch, "put")
    }

    fn notes(&self, read: &mut dyn FnMut(&[u8])) -> Result<()> {
        for record in self.db.snapshot().range(&self.blocks, note::FIRST..) {
            let (_, note) = record.into_inner().map_err(|error| unread(&self.path, error))?;
            read(&note);
        }
        Ok(())
    }

    fn clear_notes(&self) -> Result<()> {
        let mut batch = self.batch(0);
        for record in self.db.snapshot().range(&self.blocks, note::FIRST..) {
            batch.remove(&self.blocks, record.key().map_err(|error| unread(&self.path, error))?);
            if batch.len() == CLEARED_AT_ONCE {
                self.commit(std::mem::replace(&mut batch, self.batch(0)), "delete")?;
            }
        }
        self.commit(batch, "delete")
    }
}

/// The number behind the last note that is there. Without notes this reads no block of data, which may be damaged:
/// that is for its reader to hear.
pub(crate) fn next(db: &Database, blocks: &Keyspace, path: &Path) -> Result<u64> {
    let mut next = 0;
    for record in db.snapshot().range(blocks, note::FIRST..) {
        let key = record.key().map_err(|error| unread(path, error))?;
        next = note::number(&key).map_or(next, |last| last.saturating_add(1));
    }
    Ok(next)
}

fn unread(path: &Path, error: fjall::Error) -> PortError {
    failed(format!("read notes of hot tier {}", path.display()), error)
}
