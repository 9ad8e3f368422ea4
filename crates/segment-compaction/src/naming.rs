//! File names of segments, and of what lies beside them.
//!
//! ```text
//!   000000012-000000003.tsm          a segment
//!   000000012-000000003.tombstone    a sidecar of it: same stem, another extension
//!   000000012-000000003.tsm.7.tmp    an output that is not committed, or a sidecar of one
//! ```

use crate::SegmentId;

/// Ends the name of everything that is not committed. A compactor removes such files when it opens a folder.
pub const TEMPORARY: &str = "tmp";

/// How a format names its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Naming {
    /// Extension of a segment, without the dot.
    pub extension: &'static str,
    /// Extensions of files that belong to one segment each. They are removed after it, never before.
    pub sidecars: &'static [&'static str],
    /// Digits that a generation is padded to when a name is made.
    pub generation_digits: usize,
    /// Digits that a sequence is padded to when a name is made.
    pub sequence_digits: usize,
}

/// What a file in a folder of segments is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A segment.
    Segment(SegmentId),
    /// A sidecar: of which segment, and its extension.
    Sidecar(SegmentId, &'static str),
    /// Something not committed.
    Temporary,
    /// Not ours.
    Foreign,
}

impl Naming {
    /// Names with nine digits each, as most formats have.
    pub const fn nine(extension: &'static str, sidecars: &'static [&'static str]) -> Self {
        Self { extension, sidecars, generation_digits: 9, sequence_digits: 9 }
    }

    /// The name of a segment.
    pub fn segment(&self, id: SegmentId) -> String {
        format!("{}.{}", self.stem(id), self.extension)
    }

    fn stem(&self, id: SegmentId) -> String {
        let (generation, sequence) = (id.generation.number(), id.sequence.number());
        let (left, right) = (self.generation_digits, self.sequence_digits);
        format!("{generation:0left$}-{sequence:0right$}")
    }

    /// What a file is, by its name. Any width is read.
    pub fn kind(&self, name: &str) -> FileKind {
        let Some((stem, extension)) = name.split_once('.') else { return FileKind::Foreign };
        let Some(id) = parse(stem) else { return FileKind::Foreign };
        if is_temporary(extension) {
            return FileKind::Temporary;
        }
        if extension == self.extension {
            return FileKind::Segment(id);
        }
        let sidecar = self.sidecars.iter().find(|sidecar| **sidecar == extension);
        sidecar.map_or(FileKind::Foreign, |sidecar| FileKind::Sidecar(id, sidecar))
    }
}

/// Whether what follows the stem is a number and `tmp`: others have their own `.tmp` files, which are none of ours.
fn is_temporary(extension: &str) -> bool {
    let Some(rest) = extension.strip_suffix(TEMPORARY).and_then(|rest| rest.strip_suffix('.')) else {
        return false;
    };
    let number = rest.rsplit('.').next().unwrap_or_default();
    let number = number.strip_prefix("scratch").unwrap_or(number);
    rest.contains('.') && digits(number).is_some()
}

/// The name of a segment's sidecar: only the extension differs, so odd widths stay.
pub(crate) fn sidecar_name(segment: &str, extension: &str) -> String {
    let stem = segment.split_once('.').map_or(segment, |(stem, _)| stem);
    format!("{stem}.{extension}")
}

fn parse(stem: &str) -> Option<SegmentId> {
    let (generation, sequence) = stem.split_once('-')?;
    Some(SegmentId::new(digits(generation)?, u32::try_from(digits(sequence)?).ok()?))
}

/// Digits and nothing else: `parse` alone would take a sign.
fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
