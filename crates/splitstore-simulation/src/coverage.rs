//! What the seeds reached: crash points, faults, actions.

use std::collections::BTreeMap;
use std::fmt;

/// Counts by name.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    counts: BTreeMap<String, u64>,
}

/// The crash points that a thousand seeds must hit: between two steps, and inside one at an effect.
const CRASH_POINTS: [&str; 22] = [
    "crash between: idle",
    "crash between: prepare",
    "crash between: mark",
    "crash between: collect",
    "crash between: transfer",
    "crash between: seal",
    "crash between: purge",
    "crash between: commit",
    "crash inside: prepare, files",
    "crash inside: mark, files",
    "crash inside: collect, files",
    "crash inside: transfer, cold",
    "crash inside: seal, files",
    "crash inside: purge, hot",
    "crash inside: purge, files",
    "crash inside: commit, meta",
    "crash inside: commit, files",
    "crash inside: open, files",
    "crash inside: open, hot",
    "crash inside: node, hot",
    "crash inside: node, cold",
    "crash inside: node, files",
];

impl Coverage {
    pub(crate) fn count(&mut self, name: impl Into<String>) {
        *self.counts.entry(name.into()).or_default() += 1;
    }

    /// Adds what another seed reached.
    pub fn add(&mut self, other: &Self) {
        for (name, count) in &other.counts {
            *self.counts.entry(name.clone()).or_default() += count;
        }
    }

    /// How often something happened.
    pub fn of(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or(0)
    }

    /// Crash points that were never hit.
    pub fn missed(&self) -> Vec<&'static str> {
        CRASH_POINTS.into_iter().filter(|point| self.of(point) == 0).collect()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, count) in &self.counts {
            writeln!(f, "{name:<44} {count:>10}")?;
        }
        Ok(())
    }
}
