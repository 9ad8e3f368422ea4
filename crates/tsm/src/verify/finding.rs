//! What a verification tells.

use std::fmt;

use crate::{At, Fault};

/// Findings that are kept; all are counted.
pub(super) const KEPT: usize = 1000;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where: file, key and offset.
    pub at: At,
    /// What.
    pub fault: Fault,
}

/// What kind of thing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Header, footer or index cannot be read.
    Structure,
    /// A checksum is wrong.
    Checksum,
    /// A block cannot be decoded.
    Decode,
    /// Keys, entries or timestamps do not ascend.
    Order,
    /// The index does not say what is in the file.
    Index,
    /// Blocks of a key overlap.
    Overlap,
    /// A key that `InfluxDB` would not have written, among keys that it would.
    Key,
    /// The statistics beside the file are damaged or say something else.
    Statistics,
}

impl Finding {
    /// Its kind.
    pub fn class(&self) -> Class {
        match self.fault {
            Fault::Checksum { .. } | Fault::IndexChecksum { .. } => Class::Checksum,
            Fault::KeyOrder { .. } | Fault::EntryOrder { .. } | Fault::TimeOrder { .. } => Class::Order,
            Fault::Overlap { .. } => Class::Overlap,
            Fault::KeyForm { .. } => Class::Key,
            Fault::Stats { .. } | Fault::StatsMismatch { .. } => Class::Statistics,
            Fault::IndexTimes { .. }
            | Fault::TypeMismatch { .. }
            | Fault::EntryTimes { .. }
            | Fault::EntryPlace { .. }
            | Fault::Unclaimed { .. }
            | Fault::Record
            | Fault::RecordField { .. }
            | Fault::Keyless
            | Fault::Shared { .. } => Class::Index,
            Fault::Magic { .. }
            | Fault::Version { .. }
            | Fault::TooShort { .. }
            | Fault::IndexStart { .. }
            | Fault::NoEntries
            | Fault::Truncated { what: "the index" } => Class::Structure,
            Fault::UnknownType { .. } if self.at.key.is_some() => Class::Index,
            _ => Class::Decode,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.fault)
    }
}

/// What was verified, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The first thousand findings, in the order of the file's index.
    pub findings: Vec<Finding>,
    /// All findings.
    pub found: u64,
    /// Keys in the index.
    pub keys: u64,
    /// Entries in the index.
    pub blocks: u64,
    /// Points decoded.
    pub points: u64,
    /// Bytes of blocks whose checksum is right.
    pub block_bytes: u64,
    /// Bytes of keys that no checksum covers.
    pub bare_key_bytes: u64,
    /// Bytes of the file.
    pub file_bytes: u64,
    /// Blocks that hold as many points as [`Options::full_block`](super::Options::full_block) says.
    pub full_blocks: u64,
    /// Points of the largest block.
    pub points_max: u64,
    /// Blocks of the key that has the most.
    pub blocks_per_key_max: u64,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.found == 0
    }

    pub(super) fn push(&mut self, finding: Finding) {
        self.found += 1;
        if self.findings.len() < KEPT {
            self.findings.push(finding);
        }
    }
}
