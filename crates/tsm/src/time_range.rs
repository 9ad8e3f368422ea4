//! A range of times, both ends included.

use std::fmt;

/// From `min` to `max`, both included, in nanoseconds since 1970. Any `i64` is a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeRange {
    /// First time.
    pub min: i64,
    /// Last time.
    pub max: i64,
}

impl TimeRange {
    /// All times there are.
    pub const ALL: Self = Self { min: i64::MIN, max: i64::MAX };

    /// Both ends included.
    pub const fn new(min: i64, max: i64) -> Self {
        Self { min, max }
    }

    /// Whether it holds no time at all.
    pub const fn is_empty(self) -> bool {
        self.min > self.max
    }

    /// Whether `time` is in it.
    pub const fn contains(self, time: i64) -> bool {
        self.min <= time && time <= self.max
    }

    /// Whether all of `other` is in it.
    pub const fn covers(self, other: Self) -> bool {
        self.min <= other.min && other.max <= self.max
    }

    /// Whether they share a time.
    pub const fn overlaps(self, other: Self) -> bool {
        self.min <= other.max && other.min <= self.max
    }

    /// The smallest range that holds both.
    pub fn hull(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.max(other.max) }
    }
}

impl fmt::Display for TimeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.min, self.max)
    }
}
