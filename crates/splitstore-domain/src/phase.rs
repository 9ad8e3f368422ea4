//! The phases of a compaction, for logs, metrics, the journal and the CLI.
//!
//! ```text
//!   Idle -> Prepare -> Mark -> Collect -> Transfer -> Seal -> Purge -> Commit -> Idle
//!   crash:  restart    restart restart    restart     restart RESUME   RESUME
//! ```
//! restart: nothing was deleted; the work folder is dropped and the next trigger tries again.
//! RESUME: marks and candidates are durable; the same purge goes on from its cursor.
//! Until `Seal` has ended, a run may fail or be cancelled and leave the phase for `Idle`.

use std::fmt;

/// Where a compaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Phase {
    /// No compaction runs.
    #[default]
    Idle,
    /// Protection goes on, registered roots are collected, the work folder is opened.
    Prepare,
    /// The chain is walked inside the window.
    Mark,
    /// Hot keys are held against the marks.
    Collect,
    /// Candidates are copied to cold and made durable.
    Transfer,
    /// Marks become durable and the read filter.
    Seal,
    /// Candidates that are still unmarked are deleted from hot.
    Purge,
    /// The base moves, the journal closes, space is reclaimed.
    Commit,
}

impl Phase {
    /// The phases of a run, in order.
    pub const RUN: [Self; 7] =
        [Self::Prepare, Self::Mark, Self::Collect, Self::Transfer, Self::Seal, Self::Purge, Self::Commit];

    /// The phase that follows when this one succeeds.
    pub const fn next(self) -> Self {
        match self {
            Self::Idle => Self::Prepare,
            Self::Prepare => Self::Mark,
            Self::Mark => Self::Collect,
            Self::Collect => Self::Transfer,
            Self::Transfer => Self::Seal,
            Self::Seal => Self::Purge,
            Self::Purge => Self::Commit,
            Self::Commit => Self::Idle,
        }
    }

    /// Whether `next` may come after this phase: the next one, or `Idle` where a run may still be given up.
    pub fn can_become(self, next: Self) -> bool {
        next == self.next() || (next == Self::Idle && self != Self::Idle && !self.must_finish())
    }

    /// Whether a crash in this phase is resumed instead of dropped.
    pub const fn must_finish(self) -> bool {
        matches!(self, Self::Purge | Self::Commit)
    }

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Prepare => "prepare",
            Self::Mark => "mark",
            Self::Collect => "collect",
            Self::Transfer => "transfer",
            Self::Seal => "seal",
            Self::Purge => "purge",
            Self::Commit => "commit",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
