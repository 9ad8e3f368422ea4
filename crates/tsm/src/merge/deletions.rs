//! Which of a key's deleted times concern a block. Ranges are sorted, apart, and do not touch.

use std::sync::Arc;

use crate::TimeRange;

/// Whether one range holds all of `times`. A gap without points between two of them is no matter
/// of the index, so it is not asked here.
pub(super) fn covers(deleted: &[TimeRange], times: TimeRange) -> bool {
    let after = deleted.partition_point(|range| range.max < times.min);
    deleted.get(after).is_some_and(|range| range.covers(times))
}

/// Those ranges that touch `times`; shares the list where that is all of them.
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
}
