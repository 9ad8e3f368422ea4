//! What goes wrong, by what a caller can do about it.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::generation::SegmentId;
use crate::interrupt::{Cancelled, Disabled};

/// A cause, whatever its type.
pub type Source = Box<dyn Error + Send + Sync>;

/// What a format could not do.
#[derive(Debug)]
pub struct FormatError {
    kind: FormatErrorKind,
    segment: Option<SegmentId>,
    source: Source,
}

/// What can be done about a [`FormatError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FormatErrorKind {
    /// A segment is damaged: it is set aside and told to the operator; trying again will not help.
    Corrupt,
    /// Segments contradict each other, or a limit of the format is met; trying again will not help.
    Refused,
    /// A file could not be read or written; trying later may help.
    Io(io::ErrorKind),
    /// It was asked to stop.
    Interrupted,
}

/// A compaction that did not happen. Inputs are untouched, outputs are gone, unless `AfterInstall`.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CompactError {
    /// No space left, or not enough to start.
    #[error("{attempt}: no space left")]
    NoSpace {
        /// What was attempted.
        attempt: String,
        /// Why.
        source: Source,
    },
    /// Not allowed to.
    #[error("{attempt}: permission denied")]
    Denied {
        /// What was attempted.
        attempt: String,
        /// Why.
        source: Source,
    },
    /// A file that must not be there is.
    #[error("{path}: exists already")]
    Exists {
        /// Which.
        path: PathBuf,
    },
    /// Two files have the same generation and sequence, in names of different widths: which is newer, nobody can say.
    #[error("{first} and {second} have the same generation and sequence: one must go, or go elsewhere")]
    Twins {
        /// One.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// Another failure of the file system.
    #[error("{attempt}")]
    Io {
        /// What was attempted.
        attempt: String,
        /// Why.
        source: io::Error,
    },
    /// The format could not.
    #[error("{attempt}")]
    Format {
        /// What was attempted.
        attempt: String,
        /// Why.
        source: FormatError,
    },
    /// Less free space than the outputs may need.
    #[error("{needed} bytes needed beside the inputs, {free} free")]
    NotEnoughSpace {
        /// Estimate of the outputs.
        needed: u64,
        /// What the disk has.
        free: u64,
    },
    /// The group is no run of whole, adjacent generations of the folder as it is now.
    #[error("stale plan: {0}")]
    Stale(String),
    /// No sequence is left in this generation.
    #[error("generation of {0} has no sequence left")]
    Exhausted(SegmentId),
    /// Compactions are disabled.
    #[error(transparent)]
    Disabled(#[from] Disabled),
    /// It was asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Cancelled),
    /// The outputs are durable and installed, but an input could not be removed. Content is unchanged; the next
    /// plan takes what is left.
    #[error("outputs are installed, {attempt}")]
    AfterInstall {
        /// What was attempted.
        attempt: String,
        /// Why.
        source: Source,
    },
}

impl FormatError {
    /// An error of this kind.
    pub fn new(kind: FormatErrorKind, source: impl Into<Source>) -> Self {
        Self { kind, segment: None, source: source.into() }
    }

    /// A damaged segment. The source names key and offset.
    pub fn corrupt(segment: SegmentId, source: impl Into<Source>) -> Self {
        Self::new(FormatErrorKind::Corrupt, source).of(segment)
    }

    /// An input that cannot be merged as it is.
    pub fn refused(source: impl Into<Source>) -> Self {
        Self::new(FormatErrorKind::Refused, source)
    }

    /// Says which segment is at fault.
    pub fn of(mut self, segment: SegmentId) -> Self {
        self.segment = Some(segment);
        self
    }

    /// What can be done.
    pub fn kind(&self) -> FormatErrorKind {
        self.kind
    }

    /// The segment at fault, if it is one.
    pub fn segment(&self) -> Option<SegmentId> {
        self.segment
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            FormatErrorKind::Corrupt => "corrupt",
            FormatErrorKind::Refused => "refused",
            FormatErrorKind::Io(_) => "unreadable or unwritable",
            FormatErrorKind::Interrupted => "interrupted",
        };
        match self.segment {
            Some(segment) => write!(f, "segment {segment} is {kind}"),
            None => f.write_str(kind),
        }
    }
}

impl Error for FormatError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

/// A cancelled write comes back as the `io::Error` that [`crate::Output`] made of it.
impl From<io::Error> for FormatError {
    fn from(error: io::Error) -> Self {
        let cancelled = error.get_ref().and_then(|inner| inner.downcast_ref::<Cancelled>()).is_some();
        let kind = if cancelled { FormatErrorKind::Interrupted } else { FormatErrorKind::Io(error.kind()) };
        Self::new(kind, error)
    }
}

impl From<Cancelled> for FormatError {
    fn from(cancelled: Cancelled) -> Self {
        Self::new(FormatErrorKind::Interrupted, cancelled)
    }
}

impl CompactError {
    pub(crate) fn io(attempt: impl Into<String>, source: io::Error) -> Self {
        let attempt = attempt.into();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::NoSpace { attempt, source: source.into() }
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::Denied { attempt, source: source.into() }
            }
            _ => Self::Io { attempt, source },
        }
    }

    pub(crate) fn format(attempt: impl Into<String>, source: FormatError) -> Self {
        use FormatErrorKind::{Interrupted, Io};
        let attempt = attempt.into();
        match source.kind() {
            Interrupted => Self::Interrupted(Cancelled),
            Io(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
                Self::NoSpace { attempt, source: source.into() }
            }
            Io(io::ErrorKind::PermissionDenied) => Self::Denied { attempt, source: source.into() },
            _ => Self::Format { attempt, source },
        }
    }

    /// The segment at fault, if the format named one.
    pub fn segment(&self) -> Option<SegmentId> {
        match self {
            Self::Format { source, .. } => source.segment(),
            _ => None,
        }
    }

    /// Whether it was stopped rather than failed: nobody's fault, no back-off.
    pub fn is_stop(&self) -> bool {
        matches!(self, Self::Interrupted(_) | Self::Disabled(_))
    }
}
