//! How a run found out what is live, and why not otherwise.

use std::fmt;

use crate::ByteCount;

/// How live blocks were found. All ways mark the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MarkedBy {
    /// Live blocks were read, level by level.
    #[default]
    Walk,
    /// All of hot was read, in order.
    Scan,
    /// The link index was read.
    Links,
}

/// Why a run did not mark as it would have liked to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fallback {
    /// The hot tier offers no scan of whole blocks.
    NoScan,
    /// The hot tier keeps no notes of links.
    NoNotes,
    /// There is no link index yet.
    NoIndex,
    /// The link index knows too few of hot's blocks.
    Incomplete {
        /// Blocks that it knows.
        known: u64,
        /// Blocks in hot, about.
        hot: u64,
    },
    /// The link index is not what it should be; this is what is wrong with it.
    Distrusted(String),
    /// A graph of hot would take more memory than it may.
    Memory {
        /// Of what: of a scan, or of the link index.
        way: MarkedBy,
        /// What it would take.
        needs: ByteCount,
        /// What it may.
        budget: ByteCount,
    },
}

/// How a run marked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MarkReport {
    /// The way it went.
    pub by: MarkedBy,
    /// Why it did not go other ways.
    pub fallbacks: Vec<Fallback>,
    /// Marks went to disk, as memory would not do.
    pub marks_on_disk: bool,
}

impl MarkReport {
    /// Whether a graph of hot would have taken more memory than it may.
    pub fn lacked_memory(&self) -> bool {
        self.fallbacks.iter().any(|why| matches!(why, Fallback::Memory { .. }))
    }

    /// Notes why a way is not open, once.
    pub fn fell_back(&mut self, why: Fallback) {
        if !self.fallbacks.contains(&why) {
            self.fallbacks.push(why);
        }
    }
}

impl MarkedBy {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Walk => "walk",
            Self::Scan => "scan",
            Self::Links => "links",
        }
    }
}

impl fmt::Display for MarkedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoScan => write!(f, "the hot tier offers no scan"),
            Self::NoNotes => write!(f, "the hot tier keeps no notes of links"),
            Self::NoIndex => write!(f, "there is no link index yet"),
            Self::Incomplete { known, hot } => {
                write!(f, "the link index knows {known} of about {hot} blocks")
            }
            Self::Distrusted(reason) => write!(f, "the link index was set aside: {reason}"),
            Self::Memory { way, needs, budget } => {
                write!(f, "a graph of hot by {way} would take {needs}, and may take {budget}")
            }
        }
    }
}

impl fmt::Display for MarkReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.by)?;
        for (number, why) in self.fallbacks.iter().enumerate() {
            write!(f, "{} {why}", if number == 0 { ":" } else { ";" })?;
        }
        if self.marks_on_disk {
            write!(f, "; marks are kept on disk")?;
        }
        Ok(())
    }
}
