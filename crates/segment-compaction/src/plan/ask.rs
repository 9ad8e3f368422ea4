//! What a planner is asked for, and the numbers that it plans by.

use std::time::Duration;

use thiserror::Error;

use crate::generation::Level;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ask {
    /// Groups of one level, 1 to 3.
    Level(Level),
    /// Groups of level 4, four at a time.
    Steps,
    /// Everything, if nothing was written for long enough.
    FullWhenCold {
        /// How long nothing was written.
        idle: Duration,
    },
    /// Everything that gains by it, now.
    ForcedFull,
    /// Level 4 as a whole; once cold also generations that would take fewer segments.
    Optimize {
        /// How long nothing was written.
        idle: Duration,
    },
    /// Everything, also what gains nothing.
    All,
}

/// How a planner plans. The defaults are `InfluxDB`'s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannerSettings {
    /// Generations of level 1 that make a group.
    pub generations_level_one: usize,
    /// Generations of any other level that make a group.
    pub generations_others: usize,
    /// A segment of this size or more takes no more blocks.
    pub segment_bytes_max: u64,
    /// Without writes for longer than this a folder is cold; 0 is never.
    pub cold_after: Duration,
}

/// Settings that cannot be planned by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SettingsError {
    /// A group of one would be rewritten for ever.
    #[error("a group needs at least 2 generations, not {0}")]
    TooFewGenerations(usize),
    /// No block fits.
    #[error("a segment needs room for at least one byte")]
    NoRoom,
}

impl PlannerSettings {
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        let least = self.generations_level_one.min(self.generations_others);
        if least < 2 {
            return Err(SettingsError::TooFewGenerations(least));
        }
        if self.segment_bytes_max == 0 { Err(SettingsError::NoRoom) } else { Ok(()) }
    }

    /// How many generations make a group of this level.
    pub fn generations(&self, level: Level) -> usize {
        if level == Level::ONE { self.generations_level_one } else { self.generations_others }
    }

    /// Whether a folder without writes for `idle` is cold.
    pub fn is_cold(&self, idle: Duration) -> bool {
        !self.cold_after.is_zero() && idle > self.cold_after
    }
}

impl Default for PlannerSettings {
    fn default() -> Self {
        Self {
            generations_level_one: 8,
            generations_others: 4,
            segment_bytes_max: 1 << 31,
            cold_after: Duration::from_secs(4 * 60 * 60),
        }
    }
}
