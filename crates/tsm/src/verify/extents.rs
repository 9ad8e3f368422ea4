//! Which bytes of a file belong to a block. Blocks stand back to back as a rule, and then this is one range.

use std::collections::BTreeMap;

use crate::layout::HEADER_LEN;

/// Ranges of bytes that were claimed, apart from each other: end by start.
#[derive(Debug, Default)]
pub(crate) struct Extents {
    claimed: BTreeMap<u64, u64>,
}

impl Extents {
    /// Claims bytes; `false` if some of them are another's already. Those left over are claimed all the same.
    pub(crate) fn claim(&mut self, start: u64, end: u64) -> bool {
        let before = self.claimed.range(..=start).next_back().map(|(start, end)| (*start, *end));
        let after = self.claimed.range(start..).next().map(|(start, end)| (*start, *end));
        let shared =
            before.is_some_and(|(_, until)| until > start) || after.is_some_and(|(from, _)| from < end);
        let (mut from, mut until) = (start, end);
        if let Some((before, before_end)) = before.filter(|(_, before_end)| *before_end >= start) {
            from = before;
            until = until.max(before_end);
        }
        while let Some((next, next_end)) = self.claimed.range(from..).next().map(|(s, e)| (*s, *e)) {
            if next > until {
                break;
            }
            self.claimed.remove(&next);
            until = until.max(next_end);
        }
        self.claimed.insert(from, until);
        !shared
    }

    /// What nobody claimed between the header and `end`.
    pub(crate) fn gaps(&self, end: u64) -> Vec<(u64, u64)> {
        let starts = self.claimed.keys().copied().chain([end]);
        let ends = [HEADER_LEN].into_iter().chain(self.claimed.values().copied());
        ends.zip(starts).filter(|(from, until)| from < until).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_to_back_is_one_range_in_any_order() {
        for order in [[(5, 9), (9, 20), (20, 21)], [(20, 21), (5, 9), (9, 20)]] {
            let mut extents = Extents::default();
            assert!(order.iter().all(|(start, end)| extents.claim(*start, *end)));
            assert_eq!(extents.claimed, BTreeMap::from([(5, 21)]));
            assert!(extents.gaps(21).is_empty());
            assert_eq!(extents.gaps(30), [(21, 30)]);
        }
    }

    #[test]
    fn gaps_and_shared_bytes_are_seen() {
        let mut extents = Extents::default();
        assert!(extents.claim(7, 9) && extents.claim(12, 15));
        assert!(
            !extents.claim(8, 10) && !extents.claim(14, 16) && !extents.claim(6, 8) && !extents.claim(12, 13)
        );
        assert_eq!(extents.gaps(20), [(5, 6), (10, 12), (16, 20)]);
    }
}
