//! What a compaction would do, as a value: the answer of a dry run.

use std::fmt;
use std::ops::Add;

use cid::Cid;

use crate::{ByteCount, ColdPolicy, Window};

/// A number of blocks and their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// How many blocks.
    pub blocks: u64,
    /// Their data, without keys or engine overhead.
    pub bytes: ByteCount,
}

impl Tally {
    /// Counts one block of `bytes` bytes.
    pub fn add(&mut self, bytes: u64) {
        self.blocks += 1;
        self.bytes += ByteCount(bytes);
    }
}

impl Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let Self { blocks, mut bytes } = self;
        bytes += other.bytes;
        Self { blocks: blocks + other.blocks, bytes }
    }
}

/// What collection found: the fate of every block that hot held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactionPlan {
    /// The cut.
    pub window: Window,
    /// The policy it was made under.
    pub policy: ColdPolicy,
    /// Stay in hot.
    pub keep: Tally,
    /// Of these, what is copied to cold as well: cold lacks it below what it has, or gets.
    pub copy: Tally,
    /// Leave hot for cold.
    pub transfer: Tally,
    /// Leave hot for good.
    pub drop: Tally,
    /// References that nothing held, tolerated by the retention table.
    pub missing: u64,
    /// The first of them, [`CompactionPlan::LISTED`] at most.
    pub missing_listed: Vec<Cid>,
}

impl CompactionPlan {
    /// So many missing references are named; of more only the number is known.
    pub const LISTED: usize = 100;

    /// All that leaves hot.
    pub fn candidates(&self) -> Tally {
        self.transfer + self.drop
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { base, messages_from, boundary, head } = self;
        write!(f, "base {base}, messages from {messages_from}, boundary {boundary}, head {head}")
    }
}

impl fmt::Display for CompactionPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "window    {}", self.window)?;
        writeln!(f, "policy    {}", self.policy)?;
        writeln!(f, "{:<9} {:>12} {:>12}", "fate", "blocks", "bytes")?;
        let copy = (self.copy.blocks > 0).then_some(("copy", self.copy));
        let others = [("transfer", self.transfer), ("drop", self.drop)];
        for (fate, tally) in [("keep", self.keep)].into_iter().chain(copy).chain(others) {
            writeln!(f, "{fate:<9} {:>12} {:>12}", tally.blocks, tally.bytes)?;
        }
        write!(f, "missing   {:>12}", self.missing)?;
        if self.missing > 0 {
            write!(f, "  tolerated: a snapshot or a reference may lack them")?;
        }
        self.missing_listed.iter().try_for_each(|cid| write!(f, "\n          {cid}"))
    }
}
