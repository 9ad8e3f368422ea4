//! fjall's errors as the ports' kinds.
//!
//! A write that fails in the background (a flush onto a full disk) tells no writer why: from then on fjall says
//! `Poisoned` to all, which is `Unavailable` here. Only the call that meets the full disk itself says `Full`.

use fjall::{Error, FormatVersion, LsmError};
use splitstore_ports::{ErrorKind, PortError};

/// A failed call: what was attempted, and the engine's own words as its source.
pub(crate) fn failed(attempt: impl Into<String>, error: Error) -> PortError {
    match error {
        Error::Io(error) | Error::Storage(LsmError::Io(error)) => PortError::io(attempt, error),
        Error::Poisoned => PortError::new(
            ErrorKind::Unavailable,
            format!("{}, which refuses since a write to disk failed: reopen it", attempt.into()),
            error,
        ),
        error => PortError::new(kind_of(&error), attempt, error),
    }
}

fn kind_of(error: &Error) -> ErrorKind {
    match error {
        Error::Locked => ErrorKind::Locked,
        Error::KeyspaceDeleted => ErrorKind::Closed,
        Error::InvalidVersion(Some(version)) if *version as u8 > FormatVersion::V3 as u8 => ErrorKind::TooNew,
        // Checksums, tags, trailers, journals that cannot be read.
        _ => ErrorKind::Corrupt,
    }
}
