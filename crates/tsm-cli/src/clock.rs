//! The time of day, for points and files that are asked their age. Nothing is decided by it that could lose data.

use std::time::SystemTime;

/// Now.
#[expect(clippy::disallowed_methods, reason = "a command line has no other clock")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}
