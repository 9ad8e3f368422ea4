//! RocksDB's errors as the ports' kinds. RocksDB hands over text only; the kind is read from it.

use rocksdb::{Error, ErrorKind as Rocks};
use splitstore_ports::{ErrorKind, PortError};

/// A failed call: what was attempted, and the engine's own words as its source.
pub(crate) fn failed(attempt: impl Into<String>, error: Error) -> PortError {
    PortError::new(kind_of(&error.kind(), error.as_ref()), attempt, error)
}

fn kind_of(kind: &Rocks, text: &str) -> ErrorKind {
    match kind {
        Rocks::IOError if says_full(text) => ErrorKind::Full,
        Rocks::IOError if says_locked(text) => ErrorKind::Locked,
        Rocks::Busy => ErrorKind::Locked,
        // A folder of another shape (foreign column families, another comparator) is not ours.
        Rocks::Corruption | Rocks::InvalidArgument => ErrorKind::Corrupt,
        Rocks::NotSupported => ErrorKind::Unsupported,
        Rocks::ShutdownInProgress => ErrorKind::Closed,
        _ => ErrorKind::Unavailable,
    }
}

fn says_full(text: &str) -> bool {
    ["No space left on device", "Disk quota exceeded", "Space limit reached"]
        .iter()
        .any(|words| text.contains(words))
}

/// Another process: `While lock file: <path>/LOCK`. This one: `lock hold by current process ..: <path>/LOCK`.
fn says_locked(text: &str) -> bool {
    text.contains("LOCK")
        && (text.contains("While lock file") || text.contains("lock hold by current process"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_what_the_engines_words_mean() {
        let io = |text| kind_of(&Rocks::IOError, text);
        assert_eq!(
            io("IO error: No space left on device: While appending to file: /hot/7.log"),
            ErrorKind::Full
        );
        assert_eq!(
            io("IO error: While lock file: /hot/LOCK: Resource temporarily unavailable"),
            ErrorKind::Locked
        );
        assert_eq!(
            io(
                "IO error: lock hold by current process, acquire time 1 acquiring thread 2: /hot/LOCK: No locks available"
            ),
            ErrorKind::Locked
        );
        assert_eq!(
            io("IO error: While open a file for lock: /hot/LOCK: Permission denied"),
            ErrorKind::Unavailable
        );
        assert_eq!(kind_of(&Rocks::Corruption, "Corruption: block checksum mismatch"), ErrorKind::Corrupt);
        assert_eq!(kind_of(&Rocks::ShutdownInProgress, "Shutdown in progress: "), ErrorKind::Closed);
    }
}
