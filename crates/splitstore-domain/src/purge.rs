//! How a purge takes dead blocks out of hot: by deletes, or by writing hot anew without them.
//!
//! ```text
//!   deletes    tombstones now; space comes back when a reclaim has read and written the tables once more
//!   rewrite    the tables read and written once, range by range; no tombstones, space back in the same pass
//! ```
//! A rewrite costs what hot is large, deletes what is dead. Keys are hashes, so dead blocks lie in every table, and a
//! reclaim after deletes reads and writes as much as a rewrite does: a rewrite wins as soon as the space is worth a pass.

use std::fmt;

use crate::ByteCount;

/// What an operator wishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PurgeStrategy {
    /// By what is dead, and by the free space.
    #[default]
    Auto,
    /// Deletes.
    Delete,
    /// A rewrite, where hot offers it and there is room.
    Rewrite,
}

/// What the choice rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PurgeFacts {
    /// Blocks to be purged, at most.
    pub dead: u64,
    /// Blocks that stay, about.
    pub live: u64,
    /// Free bytes that a rewrite needs; `None` if hot cannot do it.
    pub needs: Option<ByteCount>,
    /// Free bytes; `None` if nobody can tell.
    pub free: Option<ByteCount>,
}

/// How it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PurgeWay {
    /// By deletes.
    Delete,
    /// By a rewrite.
    Rewrite,
}

/// Why so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PurgeWhy {
    /// It was asked for.
    Told,
    /// Hot offers no rewriting.
    NotOffered,
    /// So many percent of hot are dead.
    Dead(u8),
    /// A rewrite would fill the disk.
    NoRoom(NoRoom),
}

/// The disk has no room for a rewrite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRoom {
    /// What it needs, with a quarter to spare.
    pub needs: ByteCount,
    /// What is free.
    pub free: ByteCount,
}

/// What a rewrite was to do and did not. It was done by deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shortfall {
    /// Dead blocks that the engine passed over, although it said that it had rewritten their range.
    pub passed_over: u64,
    /// Why it was given up half-way, if it was.
    pub no_room: Option<NoRoom>,
}

/// A choice and its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PurgeChoice {
    /// How.
    pub way: PurgeWay,
    /// Why.
    pub why: PurgeWhy,
}

/// From so many percent of dead blocks on a pass over all of hot is worth it.
const WORTH_A_PASS: u8 = 5;

/// Chooses.
pub fn choose(strategy: PurgeStrategy, facts: &PurgeFacts) -> PurgeChoice {
    let percent = percent(facts.dead, facts.live);
    let delete = |why| PurgeChoice { way: PurgeWay::Delete, why };
    if strategy == PurgeStrategy::Delete {
        return delete(PurgeWhy::Told);
    }
    let Some(needs) = facts.needs else { return delete(PurgeWhy::NotOffered) };
    if strategy == PurgeStrategy::Auto && percent < WORTH_A_PASS {
        return delete(PurgeWhy::Dead(percent));
    }
    if let Some(no_room) = NoRoom::to_rewrite(needs, facts.free) {
        return delete(PurgeWhy::NoRoom(no_room));
    }
    let why = if strategy == PurgeStrategy::Auto { PurgeWhy::Dead(percent) } else { PurgeWhy::Told };
    PurgeChoice { way: PurgeWay::Rewrite, why }
}

fn percent(dead: u64, live: u64) -> u8 {
    let (dead, all) = (u128::from(dead), u128::from(dead) + u128::from(live));
    u8::try_from((dead * 100).checked_div(all).unwrap_or(0)).unwrap_or(100)
}

impl NoRoom {
    /// Whether a rewrite that needs so much would fill the disk, a quarter to spare.
    pub fn to_rewrite(needs: ByteCount, free: Option<ByteCount>) -> Option<Self> {
        let needs = ByteCount(needs.0.saturating_add(needs.0 / 4));
        free.filter(|free| *free < needs).map(|free| Self { needs, free })
    }
}

impl Shortfall {
    /// Whether it did all that it was to do.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl PurgeWay {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delete => "deletes",
            Self::Rewrite => "rewrite",
        }
    }
}

impl fmt::Display for PurgeChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.way.name(), self.why)
    }
}

impl fmt::Display for PurgeWhy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Told => f.write_str("as told"),
            Self::NotOffered => f.write_str("hot offers no rewriting"),
            Self::Dead(percent) => write!(f, "{percent} % of hot is dead"),
            Self::NoRoom(no_room) => no_room.fmt(f),
        }
    }
}

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a rewrite needs {}, {} are free", self.needs, self.free)
    }
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(no_room) = &self.no_room {
            write!(f, "the rest by deletes: {no_room}")?;
        }
        if self.passed_over > 0 {
            let then = if self.no_room.is_some() { "; " } else { "" };
            write!(f, "{then}{} blocks that the engine passed over, by deletes", self.passed_over)?;
        }
        Ok(())
    }
}
