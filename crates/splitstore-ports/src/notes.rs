//! Notes: what the orchestrator writes into the hot tier's own log, beside the blocks that it is about.
//!
//! ```text
//!   log   | put a b | delete c d | put e + note 0 | note 1 | delete f | put g h + note 2 |
//!                                                     ^ a power cut keeps what stands before some such point
//! ```
//! A note is as durable as its block, never more and never less, and costs no sync of its own.

use crate::{Block, Result};

/// Notes beside blocks.
///
/// **Contract.** A call of `put_many_noting` writes its blocks and its note or, when it fails or the process dies
/// in it, neither. Notes are kept in order: one whose call began after the call of another had returned stands
/// behind it, also over restarts. They are no blocks: scans, sizes, `has` and views do not show them, and
/// `delete_many` does not touch them.
/// **Durability.** As for writes and deletes, and in one log with them: after `sync` all are on disk; before it a
/// crash MAY lose whole calls, the latest first, and never a call before one that it keeps.
/// **Concurrency.** Beside readers and writers; `notes` shows at least what had returned when it began.
/// **Errors.** As for writes.
/// **Who calls it.** Protection, while a purge is under way; recovery.
pub trait Notes: Send + Sync {
    /// Writes blocks, if any, and a note, as one atomic batch.
    fn put_many_noting(&self, blocks: &[Block<'_>], note: &[u8]) -> Result<()>;

    /// Shows every note, the oldest first.
    fn notes(&self, read: &mut dyn FnMut(&[u8])) -> Result<()>;

    /// Removes every note whose call had returned. A crash in it MAY leave the later ones.
    fn clear_notes(&self) -> Result<()>;
}
