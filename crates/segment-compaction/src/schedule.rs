//! Whose turn it is, among groups of all levels.
//!
//! ```text
//!   lane       level 1   level 2   level 3   level 4   optimize
//!   weight        40        30        20        10         1      times groups waiting; the largest goes first,
//!                                                                 ties to the lower level
//! ```

use crate::generation::Level;
use crate::plan::Ask;

/// A queue of groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Groups of level 1.
    One,
    /// Groups of level 2.
    Two,
    /// Groups of level 3.
    Three,
    /// Steps of level 4, and everything at once.
    Four,
    /// What is left to gain when nothing else is.
    Optimize,
}

impl Lane {
    /// All lanes, the one that wins ties first.
    pub const ALL: [Self; 5] = [Self::One, Self::Two, Self::Three, Self::Four, Self::Optimize];

    const fn weight(self) -> usize {
        match self {
            Self::One => 40,
            Self::Two => 30,
            Self::Three => 20,
            Self::Four => 10,
            Self::Optimize => 1,
        }
    }

    /// Where the groups of a plan wait.
    pub fn of(ask: Ask) -> Self {
        match ask {
            Ask::Level(Level::ONE) => Self::One,
            Ask::Level(Level::TWO) => Self::Two,
            Ask::Level(Level::THREE) => Self::Three,
            Ask::Optimize { .. } => Self::Optimize,
            _ => Self::Four,
        }
    }
}

/// The lane whose turn it is, by how many groups wait in each; `None` when none does.
pub fn next_lane(waiting: impl Fn(Lane) -> usize) -> Option<Lane> {
    let urgent = |lane: &Lane| (waiting(*lane).saturating_mul(lane.weight()), std::cmp::Reverse(*lane));
    Lane::ALL.into_iter().filter(|lane| waiting(*lane) > 0).max_by_key(urgent)
}
