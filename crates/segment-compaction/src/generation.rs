//! Names of segments: which snapshot they come from, and how often they were compacted.
//!
//! ```text
//!   generation    1       2       3          8             newer writes ->
//!   segments     1-1     2-1     3-4 3-5    8-2
//!   level         1       1       4          2             level = least sequence, 4 and more is 4
//! ```
//! A segment with a greater `(generation, sequence)` holds the newer writes. Names are ordered by number, never as
//! text: two widths may lie in one folder.

use std::fmt;

/// Which snapshot a segment comes from. A compaction's output keeps the newest generation of its inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Generation(u64);

/// Which segment of its generation: 1 from a snapshot, higher after each compaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Sequence(u32);

/// How often a generation was compacted, from 1 to 4; 4 means "four times or more".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(u8);

/// The name of a segment, ordered by generation, then sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId {
    /// Which snapshot it comes from.
    pub generation: Generation,
    /// Which segment of that generation.
    pub sequence: Sequence,
}

impl Generation {
    /// The generation with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The one after it; `None` after the last that can be named.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

impl Sequence {
    /// What a snapshot writes.
    pub const FIRST: Self = Self(1);

    /// The sequence with this number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The one after it; `None` after the last that can be named.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }

    /// The level that this sequence alone would mean. Sequence 0 counts as 1.
    pub fn level(self) -> Level {
        Level(u8::try_from(self.0.clamp(1, 4)).unwrap_or(4))
    }
}

impl Level {
    /// Fresh from a snapshot.
    pub const ONE: Self = Self(1);
    /// Compacted once.
    pub const TWO: Self = Self(2);
    /// Compacted twice.
    pub const THREE: Self = Self(3);
    /// Compacted three times or more.
    pub const FOUR: Self = Self(4);
    /// All levels, lowest first.
    pub const ALL: [Self; 4] = [Self::ONE, Self::TWO, Self::THREE, Self::FOUR];

    /// Its number, from 1 to 4.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// The least sequence of this level.
    pub fn sequence(self) -> Sequence {
        Sequence(u32::from(self.0))
    }
}

impl SegmentId {
    /// The segment `generation-sequence`.
    pub const fn new(generation: u64, sequence: u32) -> Self {
        Self { generation: Generation::new(generation), sequence: Sequence::new(sequence) }
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.generation, self.sequence)
    }
}
