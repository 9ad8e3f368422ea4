//! For how long the host had given a processor of this machine to somebody else, as Linux counts it.
//!
//! ```text
//!   /proc/stat     "cpu0 <user> <nice> <system> <idle> <iowait> <irq> <softirq> <steal> .."     since the start, in 1/100 s
//!
//!   samples        |----|----|----|----|----|----|        one each hundredth
//!   a wait               <----------->
//!   looked at         '----------------------'            the count comes with the tick after the host is back
//! ```
//! What is said of a wait is little rather than much: a count is cut down to whole hundredths, so one of them may
//! be older than the wait and is left out; and of all processors the one counts that was away longest, although a thread may have
//! waited for one after the other. It is no lower bound: what the host takes just behind a wait cannot be told from what
//! is counted late.

use std::fs;
use std::time::Duration;

/// What `/proc/stat` counts in.
const UNIT: Duration = Duration::from_millis(10);
/// How much later than the wait the count may come: a tick of a slow kernel, and a sample.
const LATE: Duration = Duration::from_millis(20);
/// Words before the count.
const BEFORE: usize = 8;

/// What each processor had lost, sample by sample.
#[derive(Debug, Clone, Default)]
pub struct Steal(Vec<(Duration, Vec<u64>)>);

impl Steal {
    /// Between two samples.
    pub(crate) const EVERY: Duration = UNIT;

    /// Looks now; a system that does not count has lost nothing.
    pub(crate) fn sample(&mut self, now: Duration) {
        self.add(now, counts(&fs::read_to_string("/proc/stat").unwrap_or_default()));
    }

    /// Counts stand until they change.
    fn add(&mut self, now: Duration, counts: Vec<u64>) {
        if self.0.last().is_none_or(|(_, last)| *last != counts) {
            self.0.push((now, counts));
        }
    }

    /// How long one processor was away from `began` to `ended`, about.
    pub fn between(&self, began: Duration, ended: Duration) -> Duration {
        let units = self.lost(began, ended + LATE).into_iter().max().unwrap_or(0);
        let sure = u32::try_from(units.saturating_sub(1)).unwrap_or(u32::MAX);
        (UNIT * sure).min(ended.saturating_sub(began))
    }

    /// What all processors together lost, over all samples.
    pub fn total(&self) -> Duration {
        let units: u64 = self.lost(Duration::ZERO, Duration::MAX).into_iter().sum();
        UNIT * u32::try_from(units).unwrap_or(u32::MAX)
    }

    fn lost(&self, from: Duration, to: Duration) -> Vec<u64> {
        let before = self.0.partition_point(|(at, _)| *at <= from).saturating_sub(1);
        let after = self.0.partition_point(|(at, _)| *at <= to).saturating_sub(1);
        let (Some((_, before)), Some((_, after))) = (self.0.get(before), self.0.get(after)) else {
            return Vec::new();
        };
        after.iter().zip(before).map(|(after, before)| after.saturating_sub(*before)).collect()
    }
}

/// The count of each processor.
fn counts(stat: &str) -> Vec<u64> {
    let processors = stat.lines().filter(|line| line.starts_with("cpu") && !line.starts_with("cpu "));
    processors.filter_map(|line| line.split_ascii_whitespace().nth(BEFORE)?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str =
        "cpu  9 9 9 9 9 9 9 30 0 0\ncpu0 1 2 3 4 5 6 7 10 0 0\ncpu1 1 2 3 4 5 6 7 20 0 0\nintr 5 0\n";

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn steal(samples: &[(u64, [u64; 2])]) -> Steal {
        let mut steal = Steal::default();
        for (at, counts) in samples {
            steal.add(ms(*at), counts.to_vec());
        }
        steal
    }

    #[test]
    fn each_processor_is_counted_and_their_sum_is_not() {
        assert_eq!(counts(STAT), [10, 20]);
        assert_eq!(counts(""), [0; 0]);
    }

    #[test]
    fn of_a_wait_the_processor_counts_that_was_away_longest_less_the_unit_that_may_be_older() {
        let steal = steal(&[(0, [0, 0]), (100, [1, 0]), (150, [6, 2])]);
        assert_eq!(steal.between(ms(90), ms(140)), ms(50));
        assert_eq!(steal.between(ms(110), ms(140)), ms(30), "never longer than the wait");
        assert_eq!(steal.total(), ms(80));
    }

    #[test]
    fn what_was_lost_before_the_wait_or_long_after_is_not_of_it() {
        let steal = steal(&[(0, [0, 0]), (100, [9, 0]), (200, [18, 0])]);
        assert_eq!(steal.between(ms(110), ms(170)), ms(0));
        assert_eq!(steal.between(ms(110), ms(180)), ms(70));
        assert_eq!(Steal::default().between(ms(0), ms(50)), ms(0));
    }
}
