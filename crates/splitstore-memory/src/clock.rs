//! A clock that a test moves.

use std::sync::Arc;
use std::thread::ThreadId;
use std::time::Duration;

use parking_lot::Mutex;
use splitstore_ports::Clock;

/// A clock that stands still until it is moved. Clones are the same clock.
#[derive(Debug, Clone, Default)]
pub struct MemoryClock(Arc<Mutex<Now>>);

#[derive(Debug, Default)]
struct Now {
    elapsed: Duration,
    /// Time since the Unix epoch.
    unix: Duration,
    behind: Vec<ThreadId>,
}

impl MemoryClock {
    /// A clock at zero, in 1970.
    pub fn new() -> Self {
        Self::default()
    }

    /// Time passes.
    pub fn advance(&self, by: Duration) {
        let mut now = self.0.lock();
        now.elapsed = now.elapsed.saturating_add(by);
        now.unix = now.unix.saturating_add(by);
    }

    /// Someone sets the machine's clock, forward or back; `elapsed` does not move.
    pub fn set_unix_seconds(&self, seconds: u64) {
        self.0.lock().unix = Duration::from_secs(seconds);
    }

    /// The threads that have stood back, in order.
    pub fn behind(&self) -> Vec<ThreadId> {
        self.0.lock().behind.clone()
    }
}

impl Clock for MemoryClock {
    fn elapsed(&self) -> Duration {
        self.0.lock().elapsed
    }

    fn unix_seconds(&self) -> u64 {
        self.0.lock().unix.as_secs()
    }

    fn stand_back(&self) {
        self.0.lock().behind.push(std::thread::current().id());
    }
}
