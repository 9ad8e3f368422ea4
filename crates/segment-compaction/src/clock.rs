//! Time, as a port: what waits in a test waits in no time.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// A clock.
///
/// **Contract.** `now` never goes back. `wait` returns after about `span`; no safety rests on it.
/// **Who calls it.** The throttle, the back-off, durations of reports.
pub trait Clock: Send + Sync {
    /// Time since some fixed moment.
    fn now(&self) -> Duration;

    /// Lets time pass.
    fn wait(&self, span: Duration);
}

/// The machine's monotonic clock, counted from when this was made.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: Instant,
}

/// A clock that moves when it is told to, and by `wait`.
#[derive(Debug, Default)]
pub struct ManualClock {
    now: Mutex<Duration>,
}

impl SystemClock {
    /// A clock that begins now.
    #[expect(clippy::disallowed_methods, reason = "this is the Clock port's adapter")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the Clock port's adapter; callers wait in short slices"
    )]
    fn wait(&self, span: Duration) {
        std::thread::sleep(span);
    }
}

impl ManualClock {
    /// A clock at 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves it on.
    pub fn advance(&self, span: Duration) {
        *self.now.lock() += span;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        *self.now.lock()
    }

    fn wait(&self, span: Duration) {
        self.advance(span);
    }
}
