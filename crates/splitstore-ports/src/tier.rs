//! What each tier must be able to do, and what it may.

use std::path::{Path, PathBuf};

use splitstore_domain::ByteCount;

use crate::{
    BlockDelete, BlockRead, BlockScan, BlockWrite, Interrupt, KeyScan, LinkNotes, Notes, RangeRewrite, Result,
};

/// The fast tier: everything lands here, purge deletes here, and notes of both go into its log.
pub trait HotStore: BlockRead + BlockWrite + BlockDelete + KeyScan + Notes {
    /// Its maintenance, if it has any.
    fn maintenance(&self) -> Option<&dyn Maintenance>;

    /// Scans of whole blocks, if it can read them in order much faster than one by one.
    fn block_scan(&self) -> Option<&dyn BlockScan> {
        None
    }

    /// Notes of links, if it can write them in the batch of their blocks.
    fn link_notes(&self) -> Option<&dyn LinkNotes> {
        None
    }

    /// Rewriting in ranges, if it can leave blocks out while it does.
    fn range_rewrite(&self) -> Option<&dyn RangeRewrite> {
        None
    }
}

/// The cheap tier: transfer writes here, reads that miss hot come here.
///
/// Its `view` and `view_many` MUST check data against the CID: what was moved here has no second copy.
pub trait ColdStore: BlockRead + BlockWrite + KeyScan {
    /// Its maintenance, if it has any.
    fn maintenance(&self) -> Option<&dyn Maintenance>;

    /// Deletion, for tiers that can prune.
    fn deletion(&self) -> Option<&dyn BlockDelete>;
}

/// How much work reclaiming may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReclaimMode {
    /// In small pieces beside readers and writers; extra space stays small.
    Online,
    /// All there is to get, rewriting as needed; may need [`Maintenance::full_reclaim_needs`].
    Full,
}

/// What reclaiming gave back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reclaimed {
    /// Size on disk before.
    pub before: ByteCount,
    /// Size on disk after.
    pub after: ByteCount,
}

/// Size on disk and giving space back.
///
/// **Contract.** Reclaiming changes no content. After `Full` the space of deleted blocks is given back to the
/// file system, up to the engine's fixed overhead.
/// **Concurrency.** Beside readers and writers, one reclaim at a time; `interrupt` is asked often enough to
/// stop within a second where the engine allows it.
/// **Errors.** `Interrupted` when stopped: what was done stays. `Full` when the needed space is not there.
/// **Who calls it.** Commit, by policy; an operator.
pub trait Maintenance: Send + Sync {
    /// The folder that its files are in, if they are in one: the disk that must have room for what it writes.
    fn folder(&self) -> Option<&Path> {
        None
    }

    /// Bytes on disk, close to what `du` says.
    fn size_on_disk(&self) -> Result<ByteCount>;

    /// Gives space back.
    fn reclaim(&self, mode: ReclaimMode, interrupt: &Interrupt) -> Result<Reclaimed>;

    /// Free bytes that a full reclaim needs while it runs.
    fn full_reclaim_needs(&self) -> Result<ByteCount>;

    /// Blocks that were read although what lay around them is damaged, since it was opened. Each was checked against its own
    /// hash; what cannot be read is an error.
    fn salvaged(&self) -> u64 {
        0
    }

    /// Logs that had damage before sound records when it was opened: what they held from there on is gone. It may never have been
    /// promised, where the power went before a sync; a disk that loses data looks the same.
    fn damaged_logs(&self) -> &[PathBuf] {
        &[]
    }
}
