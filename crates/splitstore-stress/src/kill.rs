//! When a child is killed: by chance, or aimed at a phase, so that every phase is hit.
//!
//! | share | plan |
//! |---|---|
//! | 3 in 10 | a moment within two seconds of the load |
//! | 5 in 10 | the phase that was hit least so far: some occurrence of it, some share of its usual length in |
//! | 2 in 10 | while the store is opened, after a kill that left something to recover, or into the purge that it resumes |
//!
//! Where a kill is a power cut, half of all those after a kill under load fall while the store is opened, or resumes a
//! purge: a second cut during recovery.

use std::time::Duration;

use splitstore::domain::Phase;

use crate::crash::End;
use crate::{Dice, Stage, Tally};

/// The longest time under load before a kill by chance.
const LOAD: u64 = 2_000_000;
/// The longest time into an opening.
const OPENING: u64 = 60_000;
/// Occurrences of a phase to choose from.
const OCCURRENCES: u64 = 6;

/// One plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kill {
    /// So long after the load began.
    Loaded(Duration),
    /// In a phase.
    Phase {
        /// Which.
        phase: Phase,
        /// How many of it pass first.
        pass: u64,
        /// How far into it, in thousandths of its usual length; up to 1200.
        per_mille: u64,
    },
    /// So long after the opening began.
    Opening(Duration),
    /// After the opening, into the purge that it resumes: so many thousandths of the usual length of one.
    Resumed(u64),
}

/// Makes the plans of one seed.
pub struct Plans {
    dice: Dice,
    last: Stage,
    end: End,
}

impl Plans {
    /// The plans of `seed`.
    pub const fn new(seed: u64, end: End) -> Self {
        Self { dice: Dice::new(seed, 0x6b69_6c6c), last: Stage::Checking, end }
    }

    /// Notes where the last kill hit.
    pub const fn hit(&mut self, stage: Stage) {
        self.last = stage;
    }

    /// The next plan, with a view to what was hit so far.
    pub fn next(&mut self, tally: &Tally) -> Kill {
        let recovers = matches!(self.last, Stage::Loaded(Phase::Seal | Phase::Purge | Phase::Commit));
        let again = self.end == End::PowerCut && matches!(self.last, Stage::Loaded(_));
        if again && self.dice.below(2) == 0 {
            return match self.dice.below(2) {
                0 if recovers => self.resumed(),
                _ => Kill::Opening(Duration::from_micros(self.dice.below(OPENING / 3))),
            };
        }
        match self.dice.below(10) {
            0..3 => Kill::Loaded(Duration::from_micros(self.dice.below(LOAD))),
            3 if recovers => self.resumed(),
            4 if recovers => Kill::Opening(Duration::from_micros(self.dice.below(OPENING))),
            _ => Kill::Phase {
                phase: self.least_hit(tally),
                pass: self.dice.below(OCCURRENCES),
                per_mille: self.dice.below(1200),
            },
        }
    }

    /// Into the purge that an opening resumes.
    fn resumed(&mut self) -> Kill {
        Kill::Resumed(self.dice.below(1200))
    }

    fn least_hit(&mut self, tally: &Tally) -> Phase {
        let hits = |phase: &Phase| tally.kills(Stage::Loaded(*phase));
        let least = Phase::RUN.iter().map(hits).min().unwrap_or_default();
        let candidates: Vec<Phase> = Phase::RUN.into_iter().filter(|phase| hits(phase) == least).collect();
        self.dice.pick(&candidates).copied().unwrap_or(Phase::Purge)
    }
}
