//! Names of TSM files: `GENERATION-SEQUENCE.tsm`, in two widths, ordered by number.
//!
//! ```text
//!   000000012-000000003.tsm            InfluxDB 1.x and 2.x
//!   000000000000012-000000003.tsm      2.0 alpha and Cloud 2
//!   <-generation-> <-sequence>
//! ```
//! Invariant: names are never ordered as text. `1000000000-..` sorts before `999999999-..` as text, and both
//! widths may lie in one folder.

use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Extension of a TSM file.
pub const TSM: &str = "tsm";
/// Extension of its tombstones.
pub const TOMBSTONE: &str = "tombstone";
/// Extension of its statistics.
pub const STATS: &str = "tss";

/// Generation and sequence of a file; a file with a greater name holds the newer writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName {
    /// Which snapshot it comes from; a merged file keeps the newest generation of its inputs.
    pub generation: u64,
    /// 1 for a snapshot, higher after each compaction.
    pub sequence: u32,
}

/// How many digits a generation is padded to. A sequence always has nine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Width {
    /// Nine digits: `InfluxDB` 1.x and 2.x.
    #[default]
    Nine,
    /// Fifteen digits: 2.0 alpha and Cloud 2.
    Fifteen,
}

/// Why a name is not that of a TSM file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{name}` is not named GENERATION-SEQUENCE: {reason}")]
pub struct NameError {
    name: String,
    reason: &'static str,
}

impl FileName {
    /// Reads the name of a file, whatever its folder, extensions and widths.
    pub fn parse(path: impl AsRef<Path>) -> Result<Self, NameError> {
        let name = path.as_ref().file_name().unwrap_or_default().to_string_lossy();
        let refuse = |reason| NameError { name: name.to_string(), reason };
        let stem = name.split('.').next().unwrap_or_default();
        let (generation, sequence) = stem.split_once('-').ok_or_else(|| refuse("it has no `-`"))?;
        let generation = digits(generation).ok_or_else(|| refuse("the generation is no number"))?;
        let sequence = digits(sequence).and_then(|number| u32::try_from(number).ok());
        Ok(Self { generation, sequence: sequence.ok_or_else(|| refuse("the sequence is no number"))? })
    }

    /// The name without extension.
    pub fn stem(self, width: Width) -> String {
        let Self { generation, sequence } = self;
        match width {
            Width::Nine => format!("{generation:09}-{sequence:09}"),
            Width::Fifteen => format!("{generation:015}-{sequence:09}"),
        }
    }

    /// Its path in a folder, with an extension.
    pub fn path(self, folder: &Path, width: Width, extension: &str) -> PathBuf {
        folder.join(format!("{}.{extension}", self.stem(width)))
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.stem(Width::Nine))
    }
}

impl Width {
    /// The width that a file's name was written in: fifteen if its generation has more than nine digits.
    pub fn of(path: impl AsRef<Path>) -> Self {
        let name = path.as_ref().file_name().unwrap_or_default().to_string_lossy();
        if name.find('-').is_some_and(|digits| digits > 9) { Self::Fifteen } else { Self::Nine }
    }
}

/// Digits and nothing else: `parse` alone would take a sign.
fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(generation: u64, sequence: u32) -> FileName {
        FileName { generation, sequence }
    }

    #[test]
    fn both_widths_and_any_extension_are_read() {
        for text in ["000000012-000000003.tsm", "000000000000012-000000003.tsm.tmp", "a/b.c/12-3.tombstone"] {
            assert_eq!(FileName::parse(text), Ok(name(12, 3)), "{text}");
        }
        assert_eq!(Width::of("000000012-000000003.tsm"), Width::Nine);
        assert_eq!(Width::of("x/000000000000012-000000003.tsm"), Width::Fifteen);
    }

    #[test]
    fn names_are_written_in_either_width() {
        assert_eq!(name(12, 3).stem(Width::Nine), "000000012-000000003");
        assert_eq!(
            name(12, 3).path(Path::new("d"), Width::Fifteen, TSM),
            Path::new("d/000000000000012-000000003.tsm")
        );
        assert_eq!(name(u64::MAX, u32::MAX).to_string(), "18446744073709551615-4294967295");
    }

    #[test]
    fn order_is_by_number_where_text_would_mislead() {
        let texts = ["999999999-000000001", "1000000000-000000001", "000001000000000-000000002"];
        let names: Vec<_> = texts.iter().map(|text| FileName::parse(text).unwrap()).collect();
        assert!(names.is_sorted());
        assert!(!texts.is_sorted());
    }

    #[test]
    fn what_is_no_name_is_refused_with_its_reason() {
        for (text, reason) in [
            ("12.tsm", "has no `-`"),
            ("a-1.tsm", "generation"),
            ("-1-1.tsm", "generation"),
            ("+1-1.tsm", "generation"),
            ("1-4294967296.tsm", "sequence"),
            ("1-2-3.tsm", "sequence"),
            ("18446744073709551616-1.tsm", "generation"),
            ("-1.tsm", "generation"),
        ] {
            let error = FileName::parse(text).unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains(text), "{error}");
        }
    }
}
