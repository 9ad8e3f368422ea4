//! Holds: heights, or any time, at which no compaction starts and none seals.
//!
//! ```text
//!        upgrade - earliest pre-migration - finality          upgrade + finality
//!   -----------|=============== held, both ends in ===================|-----------
//! ```
//! A pre-migration computes state that no header names yet; a compaction beside it would collect it (Lotus
//! #7565). Other holds an operator sets by hand.

use std::fmt;

use crate::{Epoch, EpochSpan};

/// A named reason not to compact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Who holds, for people.
    pub name: String,
    /// The heights of the head at which it holds; `None` holds until it is released.
    pub heights: Option<(Epoch, Epoch)>,
}

impl Hold {
    /// Holds until released.
    pub fn manual(name: impl Into<String>) -> Self {
        Self { name: name.into(), heights: None }
    }

    /// Holds around a network upgrade: from one finality before its earliest pre-migration to one finality after
    /// it, both ends included. `start_within` are the spans before the upgrade in which pre-migrations start.
    pub fn around_upgrade(
        name: impl Into<String>,
        upgrade: Epoch,
        start_within: &[EpochSpan],
        finality: EpochSpan,
    ) -> Self {
        let earliest = start_within.iter().copied().max().unwrap_or_default();
        let from = upgrade.back(earliest).back(finality);
        let to = Epoch::new(upgrade.height().saturating_add(finality.epochs()));
        Self { name: name.into(), heights: Some((from, to)) }
    }

    /// Whether it holds while the head is at this height.
    pub fn holds_at(&self, head: Epoch) -> bool {
        self.heights.is_none_or(|(from, to)| (from..=to).contains(&head))
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.heights {
            Some((from, to)) => write!(f, "{} (heights {from} to {to})", self.name),
            None => write!(f, "{} (until released)", self.name),
        }
    }
}
