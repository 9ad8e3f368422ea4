//! This machine's clock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use splitstore_ports::Clock;

/// The nice value of threads that stand back: beside one that does not they get a quarter of a processor. With less they would be
/// away for so long, where they are made to wait with a lock in hand, that readers notice (docs/benchmarks.md).
#[cfg(target_os = "linux")]
const BEHIND: i32 = 5;

/// The machine's monotonic clock, counted from when this was made, and its wall clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock that begins now.
    #[expect(clippy::disallowed_methods, reason = "this adapter is the Clock port")]
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
    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// A machine that believes in a time before 1970 is told 0.
    #[expect(clippy::disallowed_methods, reason = "this adapter is the Clock port")]
    fn unix_seconds(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    /// On Linux a nice value is a thread's own, and inherited. Elsewhere it is the process's, which is not ours.
    fn stand_back(&self) {
        #[cfg(target_os = "linux")]
        if rustix::process::getpriority_process(None).is_ok_and(|nice| nice < BEHIND) {
            // A process that may not even do this goes on as it is.
            let _ = rustix::process::setpriority_process(None, BEHIND);
        }
    }
}
