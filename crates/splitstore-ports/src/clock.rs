//! Time. No safety decision uses it.

use std::time::Duration;

/// A clock.
///
/// **Contract.** `elapsed` never goes back; `unix_seconds` may, in either direction.
/// **Who calls it.** Reports, the sync gate (which may delay a run, never permit a deletion).
pub trait Clock: Send + Sync {
    /// Time since some fixed moment.
    fn elapsed(&self) -> Duration;

    /// Seconds since the Unix epoch, as the machine believes.
    fn unix_seconds(&self) -> u64;
}
