//! What can go wrong, and where: every error names the file, and the key and offset where there is one.
//!
//! ```text
//!   Fault    bytes are not what the format says     codecs return it bare ...
//!   Refusal  what was to be written cannot be
//!   Error    = At (file, key, offset) + one of them, or an I/O failure   ... readers and writers add the place
//! ```

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use thiserror::Error;

use crate::{Fault, Refusal};

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How much of a long key a message shows.
const KEY_SHOWN: usize = 200;

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    /// The file, as it was named when it was opened.
    pub file: Arc<str>,
    /// The key concerned.
    pub key: Option<Box<[u8]>>,
    /// Bytes from the start of the file.
    pub offset: Option<u64>,
}

/// Why something could not be done.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes of a file are not what the format says.
    #[error("read {at}: {fault}")]
    Damaged {
        /// Where.
        at: At,
        /// What is wrong.
        #[source]
        fault: Fault,
    },
    /// What was to be written does not fit the format.
    #[error("write {at}: {refusal}")]
    Refused {
        /// Where.
        at: At,
        /// What is wrong with it.
        #[source]
        refusal: Refusal,
    },
    /// The operating system refused.
    #[error("{doing} {at}: {kind}")]
    Io {
        /// Where.
        at: At,
        /// What was attempted, in one word.
        doing: &'static str,
        /// What a caller can do about it.
        kind: IoKind,
        /// What the system says.
        source: io::Error,
    },
}

/// I/O failures, told apart by what a caller can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IoKind {
    /// The disk or a quota is full (`ENOSPC`, `EDQUOT`).
    #[error("no space is left")]
    Full,
    /// Access is not allowed (`EACCES`, `EPERM`, `EROFS`).
    #[error("access is denied")]
    Denied,
    /// A file of that name is there already (`EEXIST`).
    #[error("it exists already")]
    Exists,
    /// There is no such file (`ENOENT`).
    #[error("there is no such file")]
    Missing,
    /// Anything else; see the source.
    #[error("the system failed")]
    Other,
}

impl IoKind {
    /// Sorts a failure.
    pub fn of(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::Denied,
            io::ErrorKind::AlreadyExists => Self::Exists,
            io::ErrorKind::NotFound => Self::Missing,
            _ => Self::Other,
        }
    }
}

impl At {
    /// Somewhere in a file.
    pub fn file(file: &Arc<str>) -> Self {
        Self { file: Arc::clone(file), key: None, offset: None }
    }

    /// A path.
    pub fn path(path: &Path) -> Self {
        Self { file: path.to_string_lossy().into(), key: None, offset: None }
    }

    /// With the key concerned.
    pub fn key(self, key: &[u8]) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    /// With an offset in the file.
    pub fn offset(self, offset: u64) -> Self {
        Self { offset: Some(offset), ..self }
    }

    pub(crate) fn damaged(self, fault: Fault) -> Error {
        Error::Damaged { at: self, fault }
    }

    pub(crate) fn refused(self, refusal: Refusal) -> Error {
        Error::Refused { at: self, refusal }
    }

    pub(crate) fn io(self, doing: &'static str, source: io::Error) -> Error {
        Error::Io { at: self, doing, kind: IoKind::of(&source), source }
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(key) = &self.key {
            write!(f, ", key `{}`", shown(key))?;
        }
        self.offset.map_or(Ok(()), |offset| write!(f, ", offset {offset}"))
    }
}

/// A key as a message shows it: escaped, and cut where it is long.
pub fn shown(key: &[u8]) -> String {
    let head = &key[..key.len().min(KEY_SHOWN)];
    let more = if head.len() < key.len() { format!("... ({} bytes)", key.len()) } else { String::new() };
    format!("{}{more}", head.escape_ascii())
}

impl Error {
    /// With the key concerned.
    pub(crate) fn with_key(mut self, of: &[u8]) -> Self {
        match &mut self {
            Self::Damaged { at, .. } | Self::Refused { at, .. } | Self::Io { at, .. } => {
                at.key = Some(of.into());
            }
        }
        self
    }

    /// The place it names.
    pub fn at(&self) -> &At {
        match self {
            Self::Damaged { at, .. } | Self::Refused { at, .. } | Self::Io { at, .. } => at,
        }
    }

    /// The fault, if bytes are damaged.
    pub fn fault(&self) -> Option<&Fault> {
        if let Self::Damaged { fault, .. } = self { Some(fault) } else { None }
    }

    /// The refusal, if something could not be written.
    pub fn refusal(&self) -> Option<&Refusal> {
        if let Self::Refused { refusal, .. } = self { Some(refusal) } else { None }
    }

    /// The kind of I/O failure, if it is one.
    pub fn io_kind(&self) -> Option<IoKind> {
        if let Self::Io { kind, .. } = self { Some(*kind) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_file_key_and_offset() {
        let at = At::path(Path::new("1-1.tsm")).key(b"cpu\xff#!~#v").offset(5);
        let error = at.damaged(Fault::NoPoints);
        assert_eq!(
            error.to_string(),
            r"read 1-1.tsm, key `cpu\xff#!~#v`, offset 5: the block holds no points"
        );
    }

    #[test]
    fn a_long_key_is_cut() {
        let text = At::path(Path::new("f")).key(&vec![b'k'; 70_000]).to_string();
        assert!(text.len() < 300 && text.ends_with("... (70000 bytes)`"), "{text}");
    }

    #[test]
    fn failures_of_the_system_are_told_apart() {
        let kind = |number| IoKind::of(&io::Error::from_raw_os_error(number));
        assert_eq!(
            [kind(28), kind(13), kind(17), kind(2)],
            [IoKind::Full, IoKind::Denied, IoKind::Exists, IoKind::Missing]
        );
        assert_eq!(kind(5), IoKind::Other);
    }
}
