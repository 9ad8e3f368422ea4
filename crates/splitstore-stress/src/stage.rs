//! Where a store stands, for counting kills and latencies.

use std::fmt;

use splitstore::domain::Phase;

/// A moment of a store's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It is being opened: recovery is here.
    Opening,
    /// It is being checked; no load.
    Checking,
    /// Load, and this phase of a compaction; `Phase::Idle` for none.
    Loaded(Phase),
}

impl Stage {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Opening,
        Self::Checking,
        Self::Loaded(Phase::Idle),
        Self::Loaded(Phase::Prepare),
        Self::Loaded(Phase::Mark),
        Self::Loaded(Phase::Collect),
        Self::Loaded(Phase::Transfer),
        Self::Loaded(Phase::Seal),
        Self::Loaded(Phase::Purge),
        Self::Loaded(Phase::Commit),
    ];

    /// Its place in [`Stage::ALL`].
    pub fn index(self) -> usize {
        Self::ALL.iter().position(|stage| *stage == self).unwrap_or_default()
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opening => f.pad("opening"),
            Self::Checking => f.pad("checking"),
            Self::Loaded(phase) => phase.fmt(f),
        }
    }
}
