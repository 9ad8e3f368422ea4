//! A histogram of durations in logarithmic buckets: 16 per power of two, so a quantile is at most 1/16 too
//! large. State: 976 counters, whatever is recorded.

use std::time::Duration;

/// Buckets per power of two, as a power of two.
const FINE_BITS: u32 = 4;
const FINE: usize = 1 << FINE_BITS;
/// Every 64-bit number has a bucket.
const BUCKETS: usize = (64 - FINE_BITS as usize) * FINE + FINE;

/// Counts durations, to the nanosecond below 16 ns and to 1/16 above.
#[derive(Debug, Clone)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS], total: 0, max: 0 }
    }
}

impl Histogram {
    /// Counts one.
    pub fn record(&mut self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        if let Some(count) = self.counts.get_mut(bucket(nanos)) {
            *count += 1;
        }
        self.total += 1;
        self.max = self.max.max(nanos);
    }

    /// Adds all that `other` counted.
    pub fn merge(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
        self.total += other.total;
        self.max = self.max.max(other.max);
    }

    /// How many were counted.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// The longest, exactly.
    pub const fn max(&self) -> Duration {
        Duration::from_nanos(self.max)
    }

    /// What so many in a thousand stay within; zero for an empty histogram.
    pub fn per_mille(&self, share: u64) -> Duration {
        let wanted = (u128::from(self.total) * u128::from(share)).div_ceil(1000);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += u128::from(*count);
            if seen >= wanted && seen > 0 {
                return Duration::from_nanos(last_of(index).min(self.max));
            }
        }
        Duration::ZERO
    }
}

/// The bucket of a number: itself below 16, then by its highest bit and the four below it.
fn bucket(nanos: u64) -> usize {
    let octave = nanos.max(1).ilog2().saturating_sub(FINE_BITS);
    let fine = usize::try_from(nanos >> octave).unwrap_or(0);
    octave as usize * FINE + fine
}

/// The greatest number in a bucket.
fn last_of(index: usize) -> u64 {
    let octave = (index / FINE).saturating_sub(1);
    let fine = (index - octave * FINE) as u64;
    let next = u128::from(fine + 1) << octave;
    u64::try_from(next - 1).unwrap_or(u64::MAX)
}
