//! Why bytes are not a Filecoin block header.

use std::fmt;

use thiserror::Error;

/// A header that cannot be read: which field, where, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("malformed block header at byte {offset}, field `{field}`: {fault}")]
pub struct HeaderError {
    /// The field that was being read, in the words of [`crate::BlockHeader`]; `header` around all of them.
    pub field: &'static str,
    /// Position of the item at fault, in bytes from the start of the header.
    pub offset: usize,
    /// What is wrong with it.
    pub fault: HeaderFault,
}

/// What is wrong with an item of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HeaderFault {
    /// The bytes end inside the item.
    #[error("truncated")]
    Truncated,
    /// Indefinite lengths and reserved headers are not DAG-CBOR.
    #[error("reserved or indefinite item header")]
    BadItem,
    /// The argument would fit in fewer bytes: Filecoin nodes refuse that, as one header would have two CIDs.
    #[error("argument is not in its shortest form")]
    NotShortest,
    /// Another type of item stands there.
    #[error("expected {expected}, found {found}")]
    WrongType {
        /// What the format has there.
        expected: Kind,
        /// What was found.
        found: Kind,
    },
    /// A tuple of another length, or a list that is too long.
    #[error("expected {expected} items, found {found}")]
    WrongLength {
        /// The length that the format has, or the longest it has.
        expected: u64,
        /// The length that was found.
        found: u64,
    },
    /// A tag other than 42, or content that is no binary CID.
    #[error("no cid")]
    BadCid,
    /// A big integer that has no or another sign byte than 0, or is longer than 128 bytes.
    #[error("no natural number of at most 128 bytes")]
    BadWeight,
    /// Bytes follow the header.
    #[error("trailing bytes")]
    Trailing,
}

/// The types of CBOR items (RFC 8949, section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An integer from 0 up.
    Unsigned,
    /// An integer below 0.
    Negative,
    /// A byte string.
    Bytes,
    /// A text string.
    Text,
    /// An array.
    Array,
    /// A map.
    Map,
    /// A tag.
    Tag,
    /// A float, a truth value or null.
    Simple,
}

impl Kind {
    /// The kind of a major type; only its lowest three bits count.
    pub(crate) const fn of(major: u8) -> Self {
        match major & 7 {
            0 => Self::Unsigned,
            1 => Self::Negative,
            2 => Self::Bytes,
            3 => Self::Text,
            4 => Self::Array,
            5 => Self::Map,
            6 => Self::Tag,
            _ => Self::Simple,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unsigned => "unsigned integer",
            Self::Negative => "negative integer",
            Self::Bytes => "byte string",
            Self::Text => "text string",
            Self::Array => "array",
            Self::Map => "map",
            Self::Tag => "tag",
            Self::Simple => "simple value",
        })
    }
}
