//! What failed is not tried again at once, and not for ever.
//!
//! ```text
//!   failure   1    2      3          4                  5
//!   wait      1 s  2 s    4 s        8 s  ... 10 min    quarantined: a wall that plans stop at
//! ```
//! A group is known by its segments: one more or less is another group. What the machine is to blame for (a full
//! disk, no permission) waits longer and longer, but is never quarantined.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::error::CompactError;
use crate::generation::{Generation, SegmentId};
use crate::listing::Listing;
use crate::plan::{Group, Held, Hold};

/// How failures are waited out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackoffSettings {
    /// Wait after the first failure; doubled after each further one.
    pub first: Duration,
    /// Longest wait.
    pub longest: Duration,
    /// Failures after which it is not tried any more.
    pub quarantine_after: u32,
}

/// What is decided about a group that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sentence {
    /// Tried again not before this moment.
    Until(Duration),
    /// Not tried again until somebody forgives: the generation of the segment at fault, or all of the group.
    Quarantined(Vec<Generation>),
}

/// Failures so far.
#[derive(Debug, Default)]
pub struct Backoff {
    settings: BackoffSettings,
    failed: BTreeMap<Vec<SegmentId>, Failures>,
    quarantined: BTreeMap<Generation, Vec<SegmentId>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Failures {
    all: u32,
    own: u32,
    until: Duration,
}

impl Default for BackoffSettings {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), longest: Duration::from_secs(600), quarantine_after: 5 }
    }
}

impl Backoff {
    /// No failures yet.
    pub fn new(settings: BackoffSettings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Whether a group may be tried now.
    pub fn is_ready(&self, group: &Group, now: Duration) -> bool {
        self.failed.get(&group.segments).is_none_or(|failures| failures.until <= now)
    }

    /// When the first of these groups may be tried.
    pub fn next_due<'a>(&self, groups: impl IntoIterator<Item = &'a Group>) -> Option<Duration> {
        let due =
            |group: &Group| self.failed.get(&group.segments).map_or(Duration::ZERO, |failed| failed.until);
        groups.into_iter().map(due).min()
    }

    /// A group failed. What was stopped did not fail.
    pub fn failed(&mut self, group: &Group, error: &CompactError, now: Duration) -> Option<Sentence> {
        if error.is_stop() || matches!(error, CompactError::Stale(_)) {
            return None;
        }
        let failures = self.failed.entry(group.segments.clone()).or_default();
        failures.all += 1;
        failures.own += u32::from(matches!(error, CompactError::Format { .. } | CompactError::Exhausted(_)));
        let doubled = self.settings.first.saturating_mul(1 << (failures.all - 1).min(30));
        failures.until = now.saturating_add(doubled.min(self.settings.longest));
        if failures.own < self.settings.quarantine_after {
            return Some(Sentence::Until(failures.until));
        }
        self.failed.remove(&group.segments);
        Some(Sentence::Quarantined(self.quarantine(group, error.segment())))
    }

    fn quarantine(&mut self, group: &Group, at_fault: Option<SegmentId>) -> Vec<Generation> {
        let in_group = at_fault.filter(|segment| group.segments.contains(segment));
        let guilty = |id: &SegmentId| in_group.is_none_or(|segment| segment.generation == id.generation);
        let segments: Vec<_> = group.segments.iter().copied().filter(guilty).collect();
        for generation in segments.chunk_by(|a, b| a.generation == b.generation) {
            self.quarantined.insert(generation[0].generation, generation.to_vec());
        }
        segments.chunk_by(|a, b| a.generation == b.generation).map(|ids| ids[0].generation).collect()
    }

    /// A group went well.
    pub fn succeeded(&mut self, group: &Group) {
        self.failed.remove(&group.segments);
    }

    /// Forgets all failures: somebody mended what was wrong.
    pub fn forgive(&mut self) {
        self.failed.clear();
        self.quarantined.clear();
    }

    /// Quarantined generations, as the planner takes it.
    pub fn held(&self) -> Held {
        self.quarantined.keys().map(|generation| (*generation, Hold::Quarantined)).collect()
    }

    /// Forgets groups and generations that are not what they were: a repaired file is tried again.
    pub fn retain(&mut self, listing: &Listing) {
        let segments: Vec<_> = listing.segments().map(|(id, _)| *id).collect();
        let there = |ids: &[SegmentId]| ids.iter().all(|id| segments.binary_search(id).is_ok());
        self.failed.retain(|group, _| there(group));
        self.quarantined.retain(|_, generation| there(generation));
    }
}
