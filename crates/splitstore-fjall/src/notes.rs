//! Notes: in the keyspace of the blocks, behind them all, in the batch of the blocks that they are about.
//!
//! One keyspace, so that a flush of the engine never writes a block without its note. Their numbers grow while a
//! handle is open, and go on behind the last one that it finds.

use std::path::Path;
use std::sync::atomic::Ordering;

use fjall::{Database, Keyspace, Readable};
use splitstore_domain::note;
use splitstore_ports::{Block, LinkNotes, Notes, PortError, Result};

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
        for record in
            self.db.snapshot().range(&self.blocks, note::FIRST.as_slice()..note::LINKS_FIRST.as_slice())
        {
            let (_, note) = record.into_inner().map_err(|error| unread(&self.path, error))?;
            read(&note);
        }
        Ok(())
    }

    fn clear_notes(&self) -> Result<()> {
        self.remove(note::FIRST.as_slice(), note::LINKS_FIRST.as_slice())
    }
}

impl LinkNotes for FjallHot {
    fn put_many_linked(&self, blocks: &[Block<'_>], links: &[u8], marks: Option<&[u8]>) -> Result<()> {
        let mut batch = self.batch(blocks.len() + 2);
        self.put_into(&mut batch, blocks)?;
        let number = self.next_link_note.fetch_add(1, Ordering::SeqCst);
        batch.insert(&self.blocks, note::link_key(number), links);
        if let Some(marks) = marks {
            batch.insert(&self.blocks, note::key(self.next_note.fetch_add(1, Ordering::SeqCst)), marks);
        }
        self.commit(batch, "put")
    }

    fn each_link_note(&self, read: &mut dyn FnMut(u64, &[u8])) -> Result<()> {
        for record in self.db.snapshot().range(&self.blocks, note::LINKS_FIRST.as_slice()..) {
            let (key, note) = record.into_inner().map_err(|error| unread(&self.path, error))?;
            if let Some(number) = note::link_number(&key) {
                read(number, &note);
            }
        }
        Ok(())
    }

    fn clear_link_notes(&self, end: u64) -> Result<()> {
        self.remove(note::LINKS_FIRST.as_slice(), note::link_key(end).as_slice())
    }
}

impl FjallHot {
    /// Removes the notes whose keys are between these, the first of them first.
    fn remove(&self, from: &[u8], to: &[u8]) -> Result<()> {
        let mut batch = self.batch(0);
        for record in self.db.snapshot().range(&self.blocks, from..to) {
            batch.remove(&self.blocks, record.key().map_err(|error| unread(&self.path, error))?);
            if batch.len() == CLEARED_AT_ONCE {
                self.commit(std::mem::replace(&mut batch, self.batch(0)), "delete")?;
            }
        }
        self.commit(batch, "delete")
    }
}

/// The numbers behind the last note of marks and of links that are there. Without notes this reads no block of data,
/// which may be damaged: that is for its reader to hear.
pub(crate) fn next(db: &Database, blocks: &Keyspace, path: &Path) -> Result<(u64, u64)> {
    let snapshot = db.snapshot();
    let after = |last: Option<fjall::Guard>, number: fn(&[u8]) -> Option<u64>| {
        let Some(last) = last else { return Ok(0) };
        let key = last.key().map_err(|error| unread(path, error))?;
        Ok(number(&key).map_or(0, |last| last.saturating_add(1)))
    };
    let mut marks = snapshot.range(blocks, note::FIRST.as_slice()..note::LINKS_FIRST.as_slice());
    let mut links = snapshot.range(blocks, note::LINKS_FIRST.as_slice()..);
    Ok((after(marks.next_back(), note::number)?, after(links.next_back(), note::link_number)?))
}

fn unread(path: &Path, error: fjall::Error) -> PortError {
    failed(format!("read notes of hot tier {}", path.display()), error)
}
