//! Notes: in the table of the blocks, behind them all, in the batch of the blocks that they are about.
//!
//! One table, so that a flush of the engine never writes a block without its note. Their numbers grow while a
//! handle is open, and go on behind the last one that it finds.

use std::path::Path;
use std::sync::atomic::Ordering;

use rocksdb::{DB, ReadOptions, WriteBatch};
use splitstore_domain::note;
use splitstore_ports::{Block, LinkNotes, Notes, Result};

use crate::RocksHot;
use crate::error::failed;
use crate::write::batch_of;

/// Notes removed in one batch.
const CLEARED_AT_ONCE: usize = 4096;

/// What a batch holds of a note besides its bytes: kind, lengths, key.
const AROUND_A_NOTE: usize = 40;

/// Sees the key of a note, and the note.
type See<'a> = dyn FnMut(&[u8], &[u8]) -> Result<()> + 'a;

impl Notes for RocksHot {
    fn put_many_noting(&self, blocks: &[Block<'_>], note: &[u8]) -> Result<()> {
        let mut batch = batch_of(blocks, note.len() + AROUND_A_NOTE)?;
        batch.put(note::key(self.next_note.fetch_add(1, Ordering::SeqCst)), note);
        self.write(batch, "put")
    }

    fn notes(&self, read: &mut dyn FnMut(&[u8])) -> Result<()> {
        self.each_note(marks(), &mut |_, note| {
            read(note);
            Ok(())
        })
    }

    fn clear_notes(&self) -> Result<()> {
        let mut batch = WriteBatch::default();
        self.each_note(marks(), &mut |key, _| {
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

impl LinkNotes for RocksHot {
    fn put_many_linked(&self, blocks: &[Block<'_>], links: &[u8], marks: Option<&[u8]>) -> Result<()> {
        let notes = links.len() + marks.map_or(0, <[u8]>::len) + 2 * AROUND_A_NOTE;
        let mut batch = batch_of(blocks, notes)?;
        batch.put(note::link_key(self.next_link_note.fetch_add(1, Ordering::SeqCst)), links);
        if let Some(marks) = marks {
            batch.put(note::key(self.next_note.fetch_add(1, Ordering::SeqCst)), marks);
        }
        self.write(batch, "put")
    }

    fn each_link_note(&self, read: &mut dyn FnMut(u64, &[u8])) -> Result<()> {
        self.each_note(links(), &mut |key, note| {
            if let Some(number) = note::link_number(key) {
                read(number, note);
            }
            Ok(())
        })
    }

    fn clear_link_notes(&self, end: u64) -> Result<()> {
        let mut batch = WriteBatch::default();
        // One mark for all of them: they may be as many as the puts since the last run.
        batch.delete_range(note::LINKS_FIRST.as_slice(), note::link_key(end).as_slice());
        self.write(batch, "delete")
    }
}

impl RocksHot {
    /// Shows keys and values in a snapshot of its own.
    fn each_note(&self, book: ReadOptions, see: &mut See<'_>) -> Result<()> {
        let mut iter = self.db.raw_iterator_opt(book);
        iter.seek_to_first();
        while let Some((key, note)) = iter.item() {
            see(key, note)?;
            iter.next();
        }
        let path = self.path.display();
        iter.status().map_err(|error| failed(format!("read notes of hot tier {path}"), error))
    }
}

/// The numbers behind the last note of marks and of links that are there. Without notes this reads no block of data,
/// which may be damaged: that is for its reader to hear.
pub(crate) fn next(db: &DB, path: &Path) -> Result<(u64, u64)> {
    Ok((next_in(db, marks(), note::number, path)?, next_in(db, links(), note::link_number, path)?))
}

fn next_in(db: &DB, book: ReadOptions, number: fn(&[u8]) -> Option<u64>, path: &Path) -> Result<u64> {
    let mut iter = db.raw_iterator_opt(book);
    iter.seek_to_first();
    if iter.valid() {
        iter.seek_to_last();
    }
    iter.status().map_err(|error| failed(format!("find the last note of {}", path.display()), error))?;
    Ok(iter.key().and_then(number).map_or(0, |last| last.saturating_add(1)))
}

/// The book of marks.
fn marks() -> ReadOptions {
    let mut options = ReadOptions::default();
    options.set_iterate_range(note::FIRST.to_vec()..note::LINKS_FIRST.to_vec());
    options
}

/// The book of links, which is the last.
fn links() -> ReadOptions {
    let mut options = ReadOptions::default();
    options.set_iterate_lower_bound(note::LINKS_FIRST);
    options
}
