//! What is deleted from one file: times by key.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::TimeRange;

/// Deleted times of a file, by key: sorted, apart, and joined where they touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deletions {
    by_key: BTreeMap<Box<[u8]>, Arc<[TimeRange]>>,
}

impl Deletions {
    /// From entries in any order; a range that holds no time counts for nothing.
    pub fn new<K: Into<Box<[u8]>>>(entries: impl IntoIterator<Item = (K, TimeRange)>) -> Self {
        let mut by_key: BTreeMap<Box<[u8]>, Vec<TimeRange>> = BTreeMap::new();
        for (key, range) in entries {
            by_key.entry(key.into()).or_default().push(range);
        }
        let joined = by_key.into_iter().map(|(key, ranges)| (key, joined(ranges).into()));
        Self { by_key: joined.collect() }
    }

    /// Whether nothing is deleted.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// What is deleted of a key.
    pub fn of(&self, key: &[u8]) -> Arc<[TimeRange]> {
        self.by_key.get(key).cloned().unwrap_or_default()
    }

    /// All keys that something is deleted of, with their ranges.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[TimeRange])> {
        self.by_key.iter().map(|(key, ranges)| (&**key, &**ranges))
    }
}

/// Sorted, and one range where two overlap or touch.
fn joined(mut ranges: Vec<TimeRange>) -> Vec<TimeRange> {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_unstable();
    let mut all: Vec<TimeRange> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match all.last_mut() {
            Some(last) if range.min <= last.max.saturating_add(1) => last.max = last.max.max(range.max),
            _ => all.push(range),
        }
    }
    all
}

/// Whether one of these joined ranges holds all of `times`. A gap without points between two of them is no matter
/// of the index, so it is not asked here.
pub(super) fn covers(deleted: &[TimeRange], times: TimeRange) -> bool {
    let after = deleted.partition_point(|range| range.max < times.min);
    deleted.get(after).is_some_and(|range| range.covers(times))
}

/// Those of the joined ranges that touch `times`; shares the list where that is all of them.
pub(super) fn within(deleted: &Arc<[TimeRange]>, times: TimeRange) -> Arc<[TimeRange]> {
    let from = deleted.partition_point(|range| range.max < times.min);
    let to = deleted.partition_point(|range| range.min <= times.max);
    if (from, to) == (0, deleted.len()) { Arc::clone(deleted) } else { deleted[from..to.max(from)].into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(of: &[(i64, i64)]) -> Vec<TimeRange> {
        of.iter().map(|(min, max)| TimeRange::new(*min, *max)).collect()
    }

    #[test]
    fn ranges_that_touch_become_one() {
        let all = [(7, 9), (1, 2), (3, 5), (20, 10), (8, 12), (i64::MAX - 1, i64::MAX), (i64::MAX, i64::MAX)];
        assert_eq!(joined(ranges(&all)), ranges(&[(1, 5), (7, 12), (i64::MAX - 1, i64::MAX)]));
    }

    #[test]
    fn only_one_range_that_holds_a_block_covers_it() {
        let deleted = ranges(&[(1, 5), (7, 12)]);
        for (times, covered) in
            [((1, 5), true), ((2, 3), true), ((5, 7), false), ((6, 6), false), ((8, 13), false)]
        {
            assert_eq!(covers(&deleted, TimeRange::new(times.0, times.1)), covered, "{times:?}");
        }
    }

    #[test]
    fn what_touches_a_block_is_found() {
        let deleted: Arc<[TimeRange]> = ranges(&[(1, 5), (7, 12), (20, 30)]).into();
        let found = |min, max| within(&deleted, TimeRange::new(min, max)).to_vec();
        assert_eq!(found(5, 7), ranges(&[(1, 5), (7, 12)]));
        assert_eq!(found(13, 19), vec![]);
        assert_eq!(found(12, 12), ranges(&[(7, 12)]));
        assert_eq!(found(0, 99).len(), 3);
    }

    #[test]
    fn keys_are_told_apart() {
        let deletions = Deletions::new([(b"a".as_slice(), TimeRange::ALL), (b"b", TimeRange::new(1, 2))]);
        assert_eq!(deletions.of(b"a").len(), 1);
        assert_eq!(deletions.of(b"c").len(), 0);
        assert_eq!(deletions.iter().count(), 2);
        assert!(!deletions.is_empty() && Deletions::default().is_empty());
    }
}
