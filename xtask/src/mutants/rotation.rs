//! A few mutants at a time, all of them in turn.

/// The `count` items whose turn it is at `seed`: with seeds that count up, each item comes once in a round.
pub(super) fn turn<T>(all: &[T], count: u64, seed: u64) -> Vec<&T> {
    let len = all.len() as u64;
    let count = count.min(len);
    let from = seed.checked_rem(len).unwrap_or(0) * count;
    let at = |step| usize::try_from((from + step) % len).ok();
    (0..count).filter_map(at).filter_map(|at| all.get(at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_that_count_up_take_each_in_turn() {
        let all: Vec<u64> = (0..12).collect();
        let turns = |seed| turn(&all, 5, seed).into_iter().copied().collect::<Vec<_>>();
        assert_eq!(turns(0), [0, 1, 2, 3, 4]);
        assert_eq!(turns(1), [5, 6, 7, 8, 9]);
        assert_eq!(turns(2), [10, 11, 0, 1, 2]);
        assert_eq!(turns(12), turns(0));
        let mut seen: Vec<u64> = (100..103).flat_map(turns).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, all);
    }

    #[test]
    fn more_than_there_are_is_all_of_them() {
        assert_eq!(turn(&[7, 8], 5, 9).len(), 2);
        assert!(turn::<u8>(&[], 5, 9).is_empty());
    }
}
