//! Findings that are known and reported: a seed may be told to look past them until they are mended.

use std::fmt;
use std::str::FromStr;

/// A finding that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Known {
    /// A run that failed in its seal or commit and left protection on: the next one does not record what was
    /// read during the first.
    StaleReferences,
    /// A mark logged during a purge for a block that is gone; a power cut brings the block back, and the resumed
    /// purge spares it without its children.
    UndoneDeletes,
    /// The log of references fails; who asks again is told yes, as the marks are in memory, and nothing is logged.
    UnloggedMarks,
}

impl Known {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::StaleReferences, Self::UndoneDeletes, Self::UnloggedMarks];

    /// Its word on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::StaleReferences => "stale-references",
            Self::UndoneDeletes => "undone-deletes",
            Self::UnloggedMarks => "unlogged-marks",
        }
    }
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Known {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|known| known.name() == name);
        found.ok_or_else(|| format!("no known finding `{name}`"))
    }
}
