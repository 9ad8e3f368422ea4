//! How hard a snapshot works: as many splits as its keys are worth, held back while the disk keeps up.
//!
//! The figures are `InfluxDB`'s: a thread for each two million keys; beyond three million, or when the last
//! snapshots took 15 s on average, four of them and no holding back, because the cache must not fill up.

use std::time::Duration;

/// Keys that are worth a thread.
const KEYS_PER_SPLIT: usize = 2_000_000;
/// So many keys are written as fast as possible.
const KEYS_URGENT: usize = 3_000_000;
/// Splits of an urgent snapshot.
const SPLITS_URGENT: usize = 4;
/// Snapshots that take so long are written as fast as possible.
const LATENCY_URGENT: Duration = Duration::from_secs(15);
/// Snapshots whose mean counts.
const LATENCIES: usize = 4;

/// Whether a snapshot's writes are held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Throttled {
    /// By the rate limit that compactions have.
    Yes,
    /// Not at all.
    No,
}

/// How a snapshot is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotPlan {
    /// Files written at the same time, each with its own generation.
    pub splits: usize,
    /// Whether they are held back.
    pub throttled: Throttled,
}

impl SnapshotPlan {
    /// For so many keys, when the last snapshots took so long on average.
    pub fn of(keys: usize, latency: Duration) -> Self {
        if keys >= KEYS_URGENT {
            return Self { splits: SPLITS_URGENT, throttled: Throttled::No };
        }
        let throttled = if latency < LATENCY_URGENT { Throttled::Yes } else { Throttled::No };
        Self { splits: (keys / KEYS_PER_SPLIT).max(1), throttled }
    }
}

/// Remembers how long the last snapshots took.
#[derive(Debug, Clone, Default)]
pub struct LatencyMeter {
    last: Vec<Duration>,
}

impl LatencyMeter {
    /// A snapshot took so long.
    pub fn note(&mut self, latency: Duration) {
        if self.last.len() == LATENCIES {
            self.last.remove(0);
        }
        self.last.push(latency);
    }

    /// The mean of the last four; nothing yet counts as no time.
    pub fn mean(&self) -> Duration {
        let count = u32::try_from(self.last.len().max(1)).expect("at most 4");
        self.last.iter().sum::<Duration>() / count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_follow_the_number_of_keys_and_urgency_ends_the_throttle() {
        let plan = |keys, seconds| {
            let plan = SnapshotPlan::of(keys, Duration::from_secs(seconds));
            (plan.splits, plan.throttled)
        };
        assert_eq!(plan(0, 0), (1, Throttled::Yes));
        assert_eq!(plan(2_999_999, 14), (1, Throttled::Yes));
        assert_eq!(plan(2_999_999, 15), (1, Throttled::No));
        assert_eq!(plan(3_000_000, 0), (4, Throttled::No));
    }

    #[test]
    fn the_mean_is_that_of_the_last_four() {
        let mut meter = LatencyMeter::default();
        assert_eq!(meter.mean(), Duration::ZERO);
        for seconds in [100, 1, 2, 3, 6] {
            meter.note(Duration::from_secs(seconds));
        }
        assert_eq!(meter.mean(), Duration::from_secs(3));
    }
}
