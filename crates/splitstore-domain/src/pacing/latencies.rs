//! Durations counted in buckets of an eighth to a quarter of their own size: quantiles without keeping samples.
//!
//! ```text
//!   nanoseconds   .. 8  10  12  14 | 16  20  24  28 | 32  40 ..      four buckets to each power of two
//! ```

use std::time::Duration;

/// Buckets to each power of two.
const FINE: u32 = 4;
const BUCKETS: usize = 64 * FINE as usize;

/// How often which durations were seen.
#[derive(Debug, Clone)]
pub struct Latencies {
    counts: Box<[u32; BUCKETS]>,
    total: u32,
}

impl Default for Latencies {
    fn default() -> Self {
        Self { counts: Box::new([0; BUCKETS]), total: 0 }
    }
}

impl Latencies {
    /// Counts one.
    pub fn add(&mut self, time: Duration) {
        let count = &mut self.counts[bucket(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))];
        if *count < u32::MAX && self.total < u32::MAX {
            *count += 1;
            self.total += 1;
        }
    }

    /// How many were counted.
    pub const fn count(&self) -> u32 {
        self.total
    }

    /// The duration that so many thousandths do not exceed, rounded up to the end of its bucket; zero without any.
    pub fn quantile(&self, permille: u32) -> Duration {
        let rank = (u64::from(self.total) * u64::from(permille)).div_ceil(1000).max(1);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += u64::from(*count);
            if seen >= rank {
                return Duration::from_nanos(end_of(bucket));
            }
        }
        Duration::ZERO
    }

    /// Forgets half of them, evenly.
    pub fn fade(&mut self) {
        self.counts.iter_mut().for_each(|count| *count /= 2);
        self.total = self.counts.iter().sum();
    }
}

fn bucket(nanos: u64) -> usize {
    let nanos = nanos.max(u64::from(FINE));
    let power = nanos.ilog2();
    let fine = (nanos >> (power - 2)) & u64::from(FINE - 1);
    (power * FINE) as usize + usize::try_from(fine).unwrap_or(0)
}

/// The first number behind a bucket.
fn end_of(bucket: usize) -> u64 {
    let (power, fine) = (bucket / FINE as usize, bucket % FINE as usize);
    let steps = u128::from(FINE) + fine as u128 + 1;
    u64::try_from((steps << power) / u128::from(FINE)).unwrap_or(u64::MAX)
}
