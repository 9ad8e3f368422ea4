//! A plan as data: groups that are taken, generations that are left, and why.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Ask;
use crate::format::MergeMode;
use crate::generation::{Generation, Level, SegmentId};
use crate::listing::GenerationStats;

/// What to compact, and what not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What was asked for.
    pub ask: Ask,
    /// Groups, oldest first. They may run side by side.
    pub groups: Vec<Group>,
    /// Generations in no group, oldest first.
    pub left: Vec<LeftOut>,
}

/// Adjacent generations that become one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// All segments of its generations, oldest first.
    pub segments: Vec<SegmentId>,
    /// How many generations.
    pub generations: usize,
    /// The highest level among them. The output's is at least this.
    pub level: Level,
    /// Bytes of its segments.
    pub bytes: u64,
    /// How to merge.
    pub mode: MergeMode,
    /// Why.
    pub reason: Taken,
}

/// Why a group is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Taken {
    /// Enough generations of this level.
    Enough(Level),
    /// Part of it is deleted: worth rewriting however few.
    Tombstoned,
    /// The folder is cold.
    Cold(Duration),
    /// Somebody asked for it.
    Forced,
    /// One generation that would take fewer segments.
    Joinable(usize),
}

/// A generation that is in no group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    /// Which.
    pub generation: Generation,
    /// Why.
    pub why: Why,
}

/// Why a generation is in no group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// Another compaction has it, or it may not be touched.
    Held(Hold),
    /// Its window has fewer generations than make a group.
    TooFew {
        /// The window's level.
        level: Level,
        /// How many it has.
        have: usize,
        /// How many it takes.
        need: usize,
    },
    /// It is of a level that was not asked for.
    OtherLevel(Level),
    /// It waits to join the group of this level right after it.
    InFrontOf(Level),
    /// As large as a segment may be, packed, nothing deleted.
    Maxed,
    /// No neighbour to merge with.
    Alone,
    /// Written to lately.
    NotCold,
}

/// Generations that no plan may touch.
pub type Held = BTreeMap<Generation, Hold>;

/// Why a generation may not be touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hold {
    /// A compaction has it.
    InUse,
    /// A compaction of it failed often; somebody must look at it.
    Quarantined,
}

impl Group {
    pub(super) fn new(generations: &[GenerationStats], mode: MergeMode, reason: Taken) -> Self {
        let segments = generations.iter().flat_map(GenerationStats::segments).map(|(id, _)| *id).collect();
        Self {
            segments,
            generations: generations.len(),
            level: highest(generations),
            bytes: generations.iter().map(GenerationStats::bytes).fold(0, u64::saturating_add),
            mode,
            reason,
        }
    }

    /// Its oldest and newest generation.
    pub fn span(&self) -> (Generation, Generation) {
        let generation = |id: Option<&SegmentId>| id.map(|id| id.generation).unwrap_or_default();
        (generation(self.segments.first()), generation(self.segments.last()))
    }
}

pub(super) fn highest(generations: &[GenerationStats]) -> Level {
    generations.iter().map(GenerationStats::level).max().unwrap_or(Level::ONE)
}
