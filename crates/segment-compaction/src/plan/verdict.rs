//! Whether anything is left to gain, and why.

use std::fmt;
use std::time::Duration;

use super::{Ask, Held, Planner, Taken};
use crate::listing::Listing;

/// Whether a folder, left alone from now on, will be compacted any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FullyCompacted {
    /// No plan would take anything of it.
    Yes {
        /// How many generations it has.
        generations: usize,
    },
    /// Something will be.
    No(NotYet),
}

/// What is left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotYet {
    /// Generations that gain by becoming one.
    Generations(usize),
    /// Deleted data that still takes space.
    Tombstones,
    /// A generation that would take fewer segments than it has.
    Segments(usize),
}

impl Planner {
    /// Whether a folder is fully compacted. What is in use now does not matter, and neither does the time.
    pub fn fully_compacted(&self, listing: &Listing) -> FullyCompacted {
        let long = Self {
            settings: super::PlannerSettings { cold_after: Duration::from_nanos(1), ..self.settings },
        };
        let idle = Duration::MAX;
        let asks = [Ask::FullWhenCold { idle }, Ask::Optimize { idle }];
        let plans = asks.map(|ask| long.plan(listing, &Held::new(), ask));
        let first = plans.iter().flat_map(|plan| &plan.groups).next();
        let not_yet = first.map(|group| match group.reason {
            Taken::Tombstoned => NotYet::Tombstones,
            Taken::Joinable(segments) => NotYet::Segments(segments),
            _ => NotYet::Generations(group.generations),
        });
        let generations = listing.generations().len();
        not_yet.map_or(FullyCompacted::Yes { generations }, FullyCompacted::No)
    }
}

impl FullyCompacted {
    /// Whether it is.
    pub fn is_yes(&self) -> bool {
        matches!(self, Self::Yes { .. })
    }
}

impl fmt::Display for FullyCompacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes { generations: 0 } => f.write_str("fully compacted: nothing is there"),
            Self::Yes { generations: 1 } => f.write_str("fully compacted: one generation"),
            Self::Yes { generations } => {
                write!(f, "fully compacted: {generations} generations, none gains by joining another")
            }
            Self::No(NotYet::Generations(count)) => {
                write!(f, "not yet: {count} generations gain by becoming one")
            }
            Self::No(NotYet::Tombstones) => f.write_str("not yet: deleted data still takes space"),
            Self::No(NotYet::Segments(count)) => {
                write!(f, "not yet: a generation of {count} segments would take fewer")
            }
        }
    }
}
