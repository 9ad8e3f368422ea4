//! The one error of all ports. Its kind says what a caller can do.

use std::error::Error;
use std::fmt;

/// Result of a port's method.
pub type Result<T, E = PortError> = std::result::Result<T, E>;

/// What a caller can do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The thing cannot be reached now; trying later may help.
    Unavailable,
    /// What is stored is damaged, or is not ours; trying again will not help.
    Corrupt,
    /// No space left; nothing of the call was done.
    Full,
    /// The adapter cannot do this at all.
    Unsupported,
    /// The adapter was closed.
    Closed,
    /// The caller asked to stop.
    Interrupted,
    /// Another process, or another handle, holds it.
    Locked,
    /// A newer version of this software wrote it.
    TooNew,
}

/// A failed port call: what was attempted, what can be done, and why it failed.
#[derive(Debug)]
pub struct PortError {
    attempt: String,
    kind: ErrorKind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl PortError {
    /// An error with its cause. `attempt` is a phrase like ``read block bafy.. from hot`` with the values.
    pub fn new(
        kind: ErrorKind,
        attempt: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { attempt: attempt.into(), kind, source: Some(source.into()) }
    }

    /// An error that is its own cause.
    pub fn bare(kind: ErrorKind, attempt: impl Into<String>) -> Self {
        Self { attempt: attempt.into(), kind, source: None }
    }

    /// An I/O error, its kind taken from the operating system's.
    pub fn io(attempt: impl Into<String>, source: std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        let kind = match source.kind() {
            Io::StorageFull | Io::QuotaExceeded => ErrorKind::Full,
            Io::UnexpectedEof | Io::InvalidData => ErrorKind::Corrupt,
            Io::Interrupted => ErrorKind::Interrupted,
            Io::Unsupported => ErrorKind::Unsupported,
            _ => ErrorKind::Unavailable,
        };
        Self::new(kind, attempt, source)
    }

    /// What can be done.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What was attempted.
    pub fn attempt(&self) -> &str {
        &self.attempt
    }
}

impl fmt::Display for PortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.attempt, self.kind)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unavailable => "unavailable",
            Self::Corrupt => "corrupt",
            Self::Full => "no space left",
            Self::Unsupported => "unsupported",
            Self::Closed => "closed",
            Self::Interrupted => "interrupted",
            Self::Locked => "already open, in this process or another",
            Self::TooNew => "written by a newer version",
        })
    }
}

impl Error for PortError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
