//! Rewriting hot, range by range, without the blocks that a purge is rid of: their space comes back in the same pass.
//!
//! ```text
//!   keys     |   range 1   |   range 2   |   range 3   |     ascending, all keys once
//!   rewrite  |  written anew but for what is doomed    |     old files go when the new ones stand
//!
//!   the engine decides on a version     |.......... window ..........|  the version is gone
//!   a put writes a newer version               ^ stays, whatever was decided
//! ```
//! A delete is seen at once. Here a decision takes effect later, so whoever decides has to treat a doomed block as gone
//! from the moment at which it is doomed, and to take a block off the list *before* it is written again.

use std::sync::Arc;

use splitstore_domain::ByteCount;

use crate::{Interrupt, KeyRange, Result};

/// Which blocks go.
pub trait Doomed: Send + Sync {
    /// Whether the version of this key that is being decided on goes. Asked for any key of the range, on any thread, any
    /// number of times; the answer turns from yes to no when the block is about to be written again, never back. Who asks is
    /// about to act on the answer: what nobody asks about until `rewrite` returns is taken for passed over, and deleted. If
    /// what was asked about is found to be there, so is all of its range.
    fn is_doomed(&self, key: &[u8]) -> bool;
}

/// A piece of the key space that is rewritten at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RewriteRange {
    /// Its keys.
    pub keys: KeyRange,
    /// Bytes that hold its keys, about: what rewriting it reads.
    pub reads: ByteCount,
    /// Free bytes that rewriting it takes at most, until its old files are gone.
    pub needs: ByteCount,
}

/// Rewriting in ranges.
///
/// **Contract.** `rewrite` asks about each version in the range at the moment at which it decides on it, and about none
/// in the same pass that was written after the answer. When it returns, of every key that was doomed from the call's
/// beginning to its end no version is found; every block that was not doomed, or was put after it had been decided
/// on, is found; no trace of what went takes space. What fails, is interrupted or dies in it MAY have removed any
/// of the doomed, and nothing else.
/// **Durability.** What it removed stays removed once it has returned and `sync` has. It MAY be durable at once, also
/// before calls that returned earlier.
/// **Concurrency.** Beside readers and writers; one `rewrite` or reclaim at a time. Views and key scans under way keep
/// their data. A [`crate::BlockSnapshot`] would not: with one open `rewrite` is `Unavailable`, as is a snapshot in it.
/// **Errors.** `Interrupted` before it begins; `Full` when the needed space is not there.
/// **Who calls it.** Purge, and nothing else.
pub trait RangeRewrite: Send + Sync {
    /// Ranges that hold every key once, in ascending order.
    fn ranges(&self) -> Result<Vec<RewriteRange>>;

    /// The same, so small that one takes a fraction of a second on one thread: for who wants to stop between two, and
    /// to leave the other processors to others. An engine whose ranges are small anyway has nothing to add.
    fn small_ranges(&self) -> Result<Vec<RewriteRange>> {
        self.ranges()
    }

    /// The calling thread stands back ([`crate::Clock::stand_back`]): from now on, for good, threads of the engine that rewrite
    /// do so, too, unless they also do what writers wait for. A courtesy: where it cannot be had nothing happens.
    fn stand_back(&self) {}

    /// Rewrites one range without what is doomed.
    fn rewrite(&self, range: &KeyRange, doomed: Arc<dyn Doomed>, interrupt: &Interrupt) -> Result<()>;
}

impl KeyRange {
    /// Whether a key lies in it.
    pub fn holds(&self, key: &[u8]) -> bool {
        self.from.as_deref().is_none_or(|from| from <= key) && self.is_below_end(key)
    }

    /// Whether a key lies in it, or before it.
    pub fn is_below_end(&self, key: &[u8]) -> bool {
        self.to.as_deref().is_none_or(|to| key < to)
    }
}
