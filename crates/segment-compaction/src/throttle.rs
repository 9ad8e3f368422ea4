//! A token bucket: how fast outputs are written, over all compactions that share it.
//!
//! ```text
//!   tokens <= burst
//!   |#######......|   + rate per second   - one per byte written; a large write takes them in pieces
//! ```

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::Clock;
use crate::interrupt::{Cancel, Cancelled};

/// Longest wait between two looks at the cancel.
const SLICE: Duration = Duration::from_millis(20);

/// A limit in bytes per second, shared by all clones.
#[derive(Clone)]
pub struct Throttle {
    bucket: Option<Arc<Bucket>>,
}

struct Bucket {
    rate: u64,
    burst: u64,
    clock: Arc<dyn Clock>,
    level: Mutex<Tokens>,
}

struct Tokens {
    count: u64,
    /// Nanoseconds times rate that make no whole token yet.
    rest: u128,
    at: Duration,
}

impl Throttle {
    /// No limit.
    pub fn off() -> Self {
        Self { bucket: None }
    }

    /// `rate` bytes per second on average and `burst` at once; a rate of 0 is no limit, a burst of 0 is one
    /// second's worth.
    pub fn new(rate: u64, burst: u64, clock: Arc<dyn Clock>) -> Self {
        if rate == 0 {
            return Self::off();
        }
        let burst = if burst == 0 { rate } else { burst };
        let level = Mutex::new(Tokens { count: burst, rest: 0, at: clock.now() });
        Self { bucket: Some(Arc::new(Bucket { rate, burst, clock, level })) }
    }

    /// The most that one call to [`Throttle::take`] should ask for; more is taken in pieces.
    pub fn piece(&self) -> u64 {
        self.bucket.as_ref().map_or(u64::MAX, |bucket| bucket.burst)
    }

    /// Waits until `bytes` may be written.
    pub fn take(&self, bytes: u64, cancel: &Cancel) -> Result<(), Cancelled> {
        let Some(bucket) = &self.bucket else { return cancel.check() };
        let mut left = bytes;
        while left > 0 {
            cancel.check()?;
            left -= bucket.take_some(left.min(bucket.burst));
        }
        cancel.check()
    }
}

impl Bucket {
    /// Takes all of `wanted` if it is there; otherwise waits a slice and takes nothing.
    fn take_some(&self, wanted: u64) -> u64 {
        let mut tokens = self.level.lock();
        self.refill(&mut tokens);
        if tokens.count >= wanted {
            tokens.count -= wanted;
            return wanted;
        }
        let missing = wanted - tokens.count;
        drop(tokens);
        let nanos = u128::from(missing) * 1_000_000_000 / u128::from(self.rate) + 1;
        let span = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.clock.wait(span.min(SLICE));
        0
    }

    fn refill(&self, tokens: &mut Tokens) {
        let now = self.clock.now();
        let earned = now.saturating_sub(tokens.at).as_nanos() * u128::from(self.rate) + tokens.rest;
        let whole = u64::try_from(earned / 1_000_000_000).unwrap_or(u64::MAX);
        tokens.rest = earned % 1_000_000_000;
        tokens.count = tokens.count.saturating_add(whole).min(self.burst);
        tokens.at = now;
    }
}
