//! A plan on paper: one line per group, one per stretch of generations left out; under a screen.

use std::fmt;

use super::{Ask, Group, Hold, LeftOut, Plan, Taken, Why};
use crate::generation::Generation;

/// Lines of either kind before the rest is only counted.
const LINES_MAX: usize = 16;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let taken: usize = self.groups.iter().map(|group| group.generations).sum();
        let all = taken + self.left.len();
        write!(f, "{}: {} groups, {taken} of {all} generations", self.ask, self.groups.len())?;
        for group in self.groups.iter().take(LINES_MAX) {
            write!(f, "\n  take  {group}")?;
        }
        more(f, self.groups.len(), "groups")?;
        let stretches: Vec<_> = self.left.chunk_by(|a, b| a.why == b.why).collect();
        for stretch in stretches.iter().take(LINES_MAX) {
            write!(f, "\n  leave {:<14} {}", span(stretch), stretch[0].why)?;
        }
        more(f, stretches.len(), "stretches left out")
    }
}

fn more(f: &mut fmt::Formatter<'_>, count: usize, what: &str) -> fmt::Result {
    if count > LINES_MAX { write!(f, "\n  ... and {} more {what}", count - LINES_MAX) } else { Ok(()) }
}

fn span(stretch: &[LeftOut]) -> String {
    let end = |left: Option<&LeftOut>| left.map(|left| left.generation).unwrap_or_default();
    range(end(stretch.first()), end(stretch.last()))
}

fn range(first: Generation, last: Generation) -> String {
    if first == last { first.to_string() } else { format!("{first}..{last}") }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = self.span();
        let (span, segments, mode) = (range(first, last), self.segments.len(), self.mode);
        write!(f, "{span:<14} {segments:>4} segments {:>10}  {mode:<4}  {}", size(self.bytes), self.reason)
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..0x10_0000 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        0x10_0000..0x4000_0000 => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
        _ => format!("{:.1} GiB", bytes as f64 / 1_073_741_824.0),
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level(level) => write!(f, "level {level}"),
            Self::Steps => f.write_str("steps of level 4"),
            Self::FullWhenCold { .. } => f.write_str("full when cold"),
            Self::ForcedFull => f.write_str("forced full"),
            Self::Optimize { .. } => f.write_str("optimize"),
            Self::All => f.write_str("all that is named"),
        }
    }
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enough(level) => write!(f, "enough generations of level {level}"),
            Self::Tombstoned => f.write_str("part of it is deleted"),
            Self::Cold(idle) => write!(f, "no write for {} s", idle.as_secs()),
            Self::Forced => f.write_str("asked for"),
            Self::Joinable(segments) => write!(f, "{segments} segments fit into fewer"),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held(hold) => hold.fmt(f),
            Self::TooFew { level, have, need } => write!(f, "{have} of {need} generations of level {level}"),
            Self::OtherLevel(level) => write!(f, "level {level} is for another plan"),
            Self::InFrontOf(level) => write!(f, "joins the group of level {level} after it"),
            Self::Maxed => f.write_str("as large as it may be, and packed"),
            Self::Alone => f.write_str("no neighbour to merge with"),
            Self::NotCold => f.write_str("written to lately"),
        }
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InUse => "in use",
            Self::Quarantined => "quarantined",
        })
    }
}
