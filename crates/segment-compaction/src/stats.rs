//! What an index says about a segment: all that the planner knows of it.

use std::ops::Add;

use crate::format::Room;

/// Statistics of one segment, over its whole index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentStats {
    /// Size of the segment's own file.
    pub bytes: u64,
    /// How its blocks are filled.
    pub fill: Fill,
    /// Whether part of it is deleted.
    pub tombstones: Tombstones,
    /// Whether a later block could have been added, or a limit of the format ended it.
    pub room: Room,
}

/// How blocks are filled. A format whose blocks cannot be joined reports each of them as full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fill {
    /// Distinct keys.
    pub keys: u64,
    /// Blocks of all keys.
    pub blocks: u64,
    /// Blocks that hold as many points as a block is meant to, or more.
    pub full_blocks: u64,
    /// Points of all blocks, deleted ones included.
    pub points: u64,
    /// Points of the largest block.
    pub points_max: u64,
}

/// Whether part of a segment is deleted. Such a segment is worth rewriting on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tombstones {
    /// Nothing is.
    #[default]
    None,
    /// Something is.
    Some,
}

impl Fill {
    /// Whether rewriting would hardly fill blocks better: at least half of them are full, and there are no more
    /// short ones than keys (each key may end in one). An unknown fill is not packed.
    pub fn is_packed(&self) -> bool {
        let short = self.blocks.saturating_sub(self.full_blocks);
        self.blocks > 0 && short <= self.full_blocks && short <= self.keys
    }
}

/// Two fills seen as one; keys that both have count twice.
impl Add for Fill {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            keys: self.keys.saturating_add(other.keys),
            blocks: self.blocks.saturating_add(other.blocks),
            full_blocks: self.full_blocks.saturating_add(other.full_blocks),
            points: self.points.saturating_add(other.points),
            points_max: self.points_max.max(other.points_max),
        }
    }
}

impl Tombstones {
    /// Whether something is deleted.
    pub fn any(self) -> bool {
        self == Self::Some
    }
}
