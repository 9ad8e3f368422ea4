//! What can go wrong inside redb, its panics included, and what a caller can do about it.

use std::any::Any;
use std::io::ErrorKind as Io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use splitstore_ports::{ErrorKind, PortError};
use thiserror::Error;

use crate::backend::for_want_of_space;

/// The newest file format that redb 4 reads.
const FORMAT: u8 = 3;

/// A failure inside redb.
#[derive(Debug, Error)]
pub(crate) enum Fault {
    /// redb said so.
    #[error(transparent)]
    Redb(#[from] redb::Error),
    /// redb panicked, as it does where a damaged page breaks what it holds for certain.
    #[error("redb panicked: {0}")]
    Panicked(String),
}

impl Fault {
    /// What a caller can do.
    pub(crate) fn kind(&self) -> ErrorKind {
        use redb::Error as E;
        match self {
            Self::Redb(E::Io(source)) => match source.kind() {
                kind if for_want_of_space(kind) => ErrorKind::Full,
                Io::UnexpectedEof | Io::InvalidData => ErrorKind::Corrupt,
                _ => ErrorKind::Unavailable,
            },
            Self::Redb(E::DatabaseAlreadyOpen) => ErrorKind::Locked,
            Self::Redb(E::UpgradeRequired(version)) if *version > FORMAT => ErrorKind::TooNew,
            Self::Redb(E::UpgradeRequired(_) | E::ValueTooLarge(_) | E::Unsupported) => {
                ErrorKind::Unsupported
            }
            Self::Redb(E::DatabaseClosed) => ErrorKind::Closed,
            Self::Redb(
                E::Corrupted(_)
                | E::TableTypeMismatch { .. }
                | E::TableIsMultimap(_)
                | E::TypeDefinitionChanged { .. }
                | E::TableDoesNotExist(_)
                | E::UnorderedKey,
            )
            | Self::Panicked(_) => ErrorKind::Corrupt,
            Self::Redb(_) => ErrorKind::Unavailable,
        }
    }

    /// Whether the handle is of no more use: redb fails every call after one failed I/O call, and a panic may
    /// have left its locks poisoned.
    pub(crate) fn spoils_handle(&self) -> bool {
        use redb::Error as E;
        matches!(self, Self::Redb(E::Io(_) | E::PreviousIo | E::LockPoisoned(_)) | Self::Panicked(_))
    }

    /// The port's error; `attempt` says what was attempted, with the values.
    pub(crate) fn into_port(self, attempt: impl Into<String>) -> PortError {
        PortError::new(self.kind(), attempt, self)
    }
}

/// Calls into redb; a panic in there comes back as a fault.
///
/// What was under way when it panicked is dropped by the unwinding, and the handle is not used again (see
/// [`Fault::spoils_handle`]), so nobody sees what it may have left half-done.
pub(crate) fn calmly<R>(work: impl FnOnce() -> Result<R, redb::Error>) -> Result<R, Fault> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => Ok(done?),
        Err(panic) => Err(Fault::Panicked(message(panic.as_ref()))),
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}
