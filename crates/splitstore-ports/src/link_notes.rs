//! Notes of links: what the link index needs to know of a block, in the hot tier's own log beside the block.
//!
//! ```text
//!   log     | put a b + links 0 | put c + links 1 + note 7 | delete a | put d + links 2 |
//!   book    links 0 | links 1 | links 2 | ..          cleared from its beginning, up to a number
//! ```
//! A book of its own: notes of marks are read after a crash and cleared by every seal, these are read by every run
//! that marks by link index, and cleared when what they say is in the index.

use crate::{Block, Result};

/// Notes of links beside blocks.
///
/// **Contract.** As [`crate::Notes`], in another book: a call of `put_many_linked` writes its blocks, its note of
/// links and its note of marks, if there is one, or nothing at all. Notes of links have ascending numbers: one whose
/// call began after the call of another had returned has a larger one, also over restarts, as long as the other is
/// there. They are no blocks, and none of the notes that [`crate::Notes`] shows and clears.
/// **Durability.** As for writes and deletes, and in one log with them.
/// **Concurrency.** Beside readers and writers; `each_link_note` shows at least what had returned when it began.
/// **Errors.** As for writes.
/// **Who calls it.** Every put while the link index is kept; marking by link index.
pub trait LinkNotes: Send + Sync {
    /// Writes blocks, a note of their links, and perhaps a note of marks, as one atomic batch.
    fn put_many_linked(&self, blocks: &[Block<'_>], links: &[u8], marks: Option<&[u8]>) -> Result<()>;

    /// Shows every note of links with its number, the oldest first.
    fn each_link_note(&self, read: &mut dyn FnMut(u64, &[u8])) -> Result<()>;

    /// Removes the notes of links whose number is below `end`. A crash in it MAY leave the later ones.
    fn clear_link_notes(&self, end: u64) -> Result<()>;
}
