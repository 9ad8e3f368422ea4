//! A few small durable values of one store.

use crate::Result;

/// The cells, each written by one part of the orchestrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MetaCell {
    /// Boundary of the last finished compaction: u64, little-endian.
    BaseEpoch,
    /// Number of finished compactions: u64, little-endian.
    CompactionIndex,
    /// Number of keys that the last run marked, the next run's hint: u64, little-endian.
    MarkSetSize,
    /// Height of the snapshot that the store began with or took in last: u64, little-endian.
    SnapshotHeight,
    /// The head: CIDs in binary, each after its length as one byte.
    Head,
    /// Reverted tipsets younger than finality; its format is the orchestrator's (`forks.rs`).
    Forks,
    /// Secret and era of the link index; its format is the orchestrator's (`links.rs`).
    LinkIndex,
    /// What cold may lack below blocks that it has; its format is the orchestrator's (`archive.rs`).
    ColdLacks,
}

impl MetaCell {
    /// All cells.
    pub const ALL: [Self; 8] = [
        Self::BaseEpoch,
        Self::CompactionIndex,
        Self::MarkSetSize,
        Self::SnapshotHeight,
        Self::Head,
        Self::Forks,
        Self::LinkIndex,
        Self::ColdLacks,
    ];

    /// Its name on disk.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BaseEpoch => "base-epoch",
            Self::CompactionIndex => "compaction-index",
            Self::MarkSetSize => "mark-set-size",
            Self::SnapshotHeight => "snapshot-height",
            Self::Head => "head",
            Self::Forks => "forks",
            Self::LinkIndex => "link-index",
            Self::ColdLacks => "cold-lacks",
        }
    }
}

/// The map.
///
/// **Contract.** `set_many` changes all its cells or none, also across a crash.
/// **Durability.** Durable when `set_many` returns.
/// **Concurrency.** Any thread.
/// **Who calls it.** Start, transfer, commit, head changes, the link index.
pub trait MetaStore: Send + Sync {
    /// The value of a cell; `None` if never set.
    fn get(&self, cell: MetaCell) -> Result<Option<Vec<u8>>>;

    /// Sets cells as one atomic, durable change.
    fn set_many(&self, values: &[(MetaCell, Vec<u8>)]) -> Result<()>;
}
