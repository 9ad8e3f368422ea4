//! What the operator wished and the node told, said plainly: when a run may start, must wait, must stop.
//!
//! The store's own gates are held against this after every head change and before every step.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use splitstore_domain::trigger::{Decision, Why};
use splitstore_domain::{Phase, SyncPolicy};
use splitstore_orchestrator::Pace;

use crate::options::SimOptions;

/// What an operator can wish of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wish {
    Pause,
    Cancel,
    Stop,
}

/// Whether the disk is fuller than the operator allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Room {
    #[default]
    Enough,
    Short,
}

/// What a head asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asks {
    Compact,
    BelowThreshold,
    Held,
    Behind,
    BackingOff(Duration),
}

/// Why a run ends at its next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    Stopped,
    Held,
}

/// The gates of one process.
#[derive(Default)]
pub(crate) struct Gates {
    pub(crate) wishes: BTreeSet<Wish>,
    /// Names, and heights from and to which they hold; always, without.
    pub(crate) holds: BTreeMap<&'static str, Option<(u64, u64)>>,
    /// Heads in a row between the bounds, while the node is behind.
    behind: Option<u32>,
    room: Room,
    head: u64,
    failures: u32,
    not_before: Duration,
}

impl Gates {
    /// Takes in a head; says whether it ended a wait by hovering.
    pub(crate) fn observe(&mut self, options: &SimOptions, height: u64, age: u64) -> bool {
        self.head = height;
        if options.sync == SyncPolicy::Ignore {
            return false;
        }
        let was = self.behind;
        self.behind = match (age, was) {
            (61.., _) => Some(0),
            (30..=60, Some(hovering)) if hovering < 4 => Some(hovering + 1),
            _ => None,
        };
        was.is_some() && self.behind.is_none() && age >= 30
    }

    /// Takes in how full the disk is.
    pub(crate) const fn see_room(&mut self, room: Room) {
        self.room = room;
    }

    /// What the head of so many epochs past the base asks for.
    pub(crate) fn ask(&self, options: &SimOptions, span: u64, now: Duration) -> Asks {
        let pressed = self.room == Room::Short;
        let wait = self.not_before.saturating_sub(now);
        if span <= (options.boundary + 1) * options.finality {
            Asks::BelowThreshold
        } else if self.is_held() {
            Asks::Held
        } else if self.behind.is_some() && !pressed {
            Asks::Behind
        } else if !wait.is_zero() && !pressed {
            Asks::BackingOff(wait)
        } else {
            Asks::Compact
        }
    }

    pub(crate) fn is_held(&self) -> bool {
        let holds =
            |at: &Option<(u64, u64)>| at.is_none_or(|(from, to)| from <= self.head && self.head <= to);
        self.holds.values().any(holds)
    }

    /// Whether a run in this phase goes on.
    pub(crate) fn pace(&self, phase: Phase) -> Pace {
        if self.wishes.contains(&Wish::Pause) {
            return Pace::Paused;
        }
        let waits = self.behind.is_some() && self.room == Room::Enough && !is_late(phase);
        if waits { Pace::Behind } else { Pace::Going }
    }

    /// Whether a step in this phase ends the run instead.
    pub(crate) fn must_end(&self, phase: Phase) -> Option<Ends> {
        let stopped = self.wishes.contains(&Wish::Stop) && phase != Phase::Commit;
        if stopped || (self.wishes.contains(&Wish::Cancel) && !is_late(phase)) {
            return Some(Ends::Stopped);
        }
        (self.is_held() && !is_late(phase)).then_some(Ends::Held)
    }

    pub(crate) fn failed(&mut self, now: Duration) {
        let wait = (30_u64 << self.failures.min(16)).min(3600);
        self.failures += 1;
        self.not_before = now + Duration::from_secs(wait);
    }

    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
        self.not_before = Duration::ZERO;
    }
}

/// What deletes must end.
fn is_late(phase: Phase) -> bool {
    matches!(phase, Phase::Purge | Phase::Commit)
}

impl Asks {
    pub(crate) fn of(decision: &Decision) -> Option<Self> {
        Some(match decision {
            Decision::Compact(_) => Self::Compact,
            Decision::Wait(Why::BelowThreshold { .. }) => Self::BelowThreshold,
            Decision::Wait(Why::Held(_)) => Self::Held,
            Decision::Wait(Why::Behind) => Self::Behind,
            Decision::Wait(Why::BackingOff { wait }) => Self::BackingOff(*wait),
            Decision::Wait(_) => return None,
        })
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Compact => "compact",
            Self::BelowThreshold => "below the threshold",
            Self::Held => "held",
            Self::Behind => "behind",
            Self::BackingOff(_) => "backing off",
        }
    }
}
