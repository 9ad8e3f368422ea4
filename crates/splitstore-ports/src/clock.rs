//! Time: how late it is, and who gets it. No safety decision uses it.

use std::time::Duration;

/// A clock.
///
/// **Contract.** `elapsed` never goes back; `unix_seconds` may, in either direction.
/// **Who calls it.** Reports, the sync gate and the pace of runs (which may delay a run, never permit a deletion).
pub trait Clock: Send + Sync {
    /// Time since some fixed moment.
    fn elapsed(&self) -> Duration;

    /// Seconds since the Unix epoch, as the machine believes.
    fn unix_seconds(&self) -> u64;

    /// From now on, for good, the calling thread and those that it starts run in the time that others leave of the
    /// processors, or little more. A courtesy: where it cannot be had nothing happens.
    fn stand_back(&self) {}
}
