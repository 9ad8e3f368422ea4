//! What the tombstones of one file delete, by key.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Scope, Tombstone, load, path_of};
use crate::error::{At, Result};
use crate::{Fault, Limits, TimeRange};

/// Deleted times, by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tombstones {
    keys: BTreeMap<Vec<u8>, Vec<TimeRange>>,
    prefixes: Vec<(Vec<u8>, TimeRange)>,
}

impl Tombstones {
    /// Those of a TSM file; none if there is no tombstone file.
    pub fn load(tsm: &Path, limits: Limits) -> Result<Self> {
        let entries = load(tsm, limits)?.map_or_else(Vec::new, |file| file.entries);
        Self::of(&entries, &path_of(tsm))
    }

    /// Those of entries; `path` names their file in errors.
    ///
    /// A tombstone with a predicate is a fault: to apply it to too few keys would bring deleted points back, to too
    /// many would lose some.
    pub fn of(entries: &[Tombstone], path: &Path) -> Result<Self> {
        let Some(tombstone) = entries.iter().find(|tombstone| tombstone.predicate.is_some()) else {
            return Ok(Self::all_of(entries));
        };
        let fault = Fault::Tombstone { what: "a delete by predicate, which only 2.0 alpha can apply" };
        Err(At::path(path).key(&tombstone.key).damaged(fault))
    }

    /// Those of entries without predicates.
    fn all_of(entries: &[Tombstone]) -> Self {
        let mut all = Self::default();
        for Tombstone { key, times, scope, .. } in entries.iter().filter(|entry| !entry.times.is_empty()) {
            match scope {
                Scope::Key => all.keys.entry(key.clone()).or_default().push(*times),
                Scope::Prefix => all.prefixes.push((key.clone(), *times)),
            }
        }
        all.keys.values_mut().for_each(union);
        all
    }

    /// Whether nothing is deleted.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.prefixes.is_empty()
    }

    /// The deleted times of a key: ascending, apart, not touching.
    pub fn ranges(&self, key: &[u8]) -> Vec<TimeRange> {
        let mut ranges = self.keys.get(key).cloned().unwrap_or_default();
        let prefixed = self.prefixes.iter().filter(|(prefix, _)| key.starts_with(prefix));
        ranges.extend(prefixed.map(|(_, times)| *times));
        union(&mut ranges);
        ranges
    }

    /// Whether all of a span of a key is deleted.
    pub fn cover(&self, key: &[u8], times: TimeRange) -> bool {
        self.ranges(key).iter().any(|range| range.covers(times))
    }
}

/// Joins ranges that overlap or touch.
fn union(ranges: &mut Vec<TimeRange>) {
    ranges.sort_unstable();
    ranges.dedup_by(|next, range| {
        let joined = next.min <= range.max.saturating_add(1);
        if joined {
            *range = range.hull(*next);
        }
        joined
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(min: i64, max: i64) -> TimeRange {
        TimeRange::new(min, max)
    }

    #[test]
    fn ranges_that_touch_are_one() {
        let mut ranges =
            vec![range(5, 9), range(1, 2), range(3, 3), range(12, 20), range(7, 10), range(13, 14)];
        union(&mut ranges);
        assert_eq!(ranges, [range(1, 3), range(5, 10), range(12, 20)]);
        let mut ends = vec![range(i64::MAX, i64::MAX), TimeRange::ALL];
        union(&mut ends);
        assert_eq!(ends, [TimeRange::ALL]);
    }

    #[test]
    fn a_key_is_met_by_its_own_tombstones_and_by_prefixes() {
        let prefix = Tombstone { scope: Scope::Prefix, ..Tombstone::new(b"cp", range(5, 9)) };
        let all = Tombstones::all_of(&[
            Tombstone::new(b"cpu", range(1, 4)),
            prefix,
            Tombstone::new(b"mem", range(9, 1)),
        ]);
        assert_eq!(all.ranges(b"cpu"), [range(1, 9)]);
        assert_eq!(all.ranges(b"cp"), [range(5, 9)]);
        assert!(all.ranges(b"mem").is_empty() && !all.is_empty());
        assert!(all.cover(b"cpu", range(1, 9)) && !all.cover(b"cpu", range(1, 10)));
    }
}
