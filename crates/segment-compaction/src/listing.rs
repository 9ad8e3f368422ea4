//! What a folder holds, as the planner sees it: generations in order, each with all its segments.

use thiserror::Error;

use crate::format::Room;
use crate::generation::{Generation, Level, SegmentId};
use crate::stats::{Fill, SegmentStats};

/// All segments of a folder, by generation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    generations: Vec<GenerationStats>,
}

/// One generation: all its segments, in order. Readers see it as one logical file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerationStats {
    segments: Vec<(SegmentId, SegmentStats)>,
}

/// Two files claim one place in the order of writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("two files are named segment {0}, in different widths")]
pub struct Twice(pub SegmentId);

impl Listing {
    /// Segments in any order.
    pub fn new(mut segments: Vec<(SegmentId, SegmentStats)>) -> Result<Self, Twice> {
        segments.sort_by_key(|(id, _)| *id);
        if let Some(pair) = segments.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(Twice(pair[0].0));
        }
        let by_generation = segments.chunk_by(|(a, _), (b, _)| a.generation == b.generation);
        Ok(Self {
            generations: by_generation.map(|all| GenerationStats { segments: all.to_vec() }).collect(),
        })
    }

    /// Generations, oldest first.
    pub fn generations(&self) -> &[GenerationStats] {
        &self.generations
    }

    /// Segments, oldest first.
    pub fn segments(&self) -> impl Iterator<Item = &(SegmentId, SegmentStats)> {
        self.generations.iter().flat_map(|generation| &generation.segments)
    }

    /// A generation by its number.
    pub fn generation(&self, generation: Generation) -> Option<&GenerationStats> {
        self.generations.iter().find(|stats| stats.generation() == generation)
    }
}

impl GenerationStats {
    /// Which generation.
    pub fn generation(&self) -> Generation {
        self.segments.first().map(|(id, _)| id.generation).unwrap_or_default()
    }

    /// Its segments, by sequence.
    pub fn segments(&self) -> &[(SegmentId, SegmentStats)] {
        &self.segments
    }

    /// The level of its least sequence: a generation that was split does not rise by that.
    pub fn level(&self) -> Level {
        self.segments.first().map_or(Level::ONE, |(id, _)| id.sequence.level())
    }

    /// Bytes of all its segments.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|(_, stats)| stats.bytes).fold(0, u64::saturating_add)
    }

    /// Fill of all its segments.
    pub fn fill(&self) -> Fill {
        self.segments.iter().fold(Fill::default(), |sum, (_, stats)| sum + stats.fill)
    }

    /// Whether part of it is deleted.
    pub fn is_tombstoned(&self) -> bool {
        self.segments.iter().any(|(_, stats)| stats.tombstones.any())
    }

    /// Whether rewriting it would gain nothing: as large as a segment may be, packed, nothing deleted.
    pub fn is_maxed(&self, segment_bytes_max: u64) -> bool {
        self.bytes() >= segment_bytes_max && self.fill().is_packed() && !self.is_tombstoned()
    }

    /// Whether rewriting it alone would give fewer segments: one before the last has room left.
    pub fn is_joinable(&self, segment_bytes_max: u64) -> bool {
        let before_last = self.segments.len().saturating_sub(1);
        let has_room = |stats: &SegmentStats| stats.bytes < segment_bytes_max && stats.room == Room::Open;
        self.segments.iter().take(before_last).any(|(_, stats)| has_room(stats))
    }
}
