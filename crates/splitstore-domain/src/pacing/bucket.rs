//! A token bucket that may go into debt: bytes are taken when they are known, and paid for by waiting afterwards.

use std::num::NonZeroU64;
use std::time::Duration;

const NANOS: u128 = 1_000_000_000;

/// Filled at a rate, full after a tenth of a second.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    rate: u128,
    /// In billionths of a byte: nothing is lost by rounding.
    level: i128,
    at: Duration,
}

impl Bucket {
    pub(super) fn new(rate: NonZeroU64, now: Duration) -> Self {
        let rate = u128::from(rate.get());
        Self { rate, level: Self::full(rate), at: now }
    }

    /// Takes bytes; how long it takes until the debt is paid.
    pub(super) fn take(&mut self, bytes: u64, now: Duration) -> Duration {
        let filled = signed(now.saturating_sub(self.at).as_nanos().saturating_mul(self.rate));
        self.at = now;
        self.level = self.level.saturating_add(filled).min(Self::full(self.rate));
        self.level = self.level.saturating_sub(signed(u128::from(bytes) * NANOS));
        let debt = u128::try_from(self.level.saturating_neg()).unwrap_or(0);
        Duration::from_nanos(u64::try_from(debt.div_ceil(self.rate)).unwrap_or(u64::MAX))
    }

    fn full(rate: u128) -> i128 {
        signed(rate * NANOS / 10)
    }
}

fn signed(number: u128) -> i128 {
    i128::try_from(number).unwrap_or(i128::MAX)
}
