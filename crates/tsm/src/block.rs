//! A block: some points of one key, encoded. Looked into here, encoded and decoded by `codec.rs`.
//!
//! ```text
//!   +------+----------------+-------------------+---------------+
//!   | kind | uvarint length | timestamp section | value section |
//!   +------+----------------+-------------------+---------------+
//! ```
//! Invariant of a [`SealedBlock`]: its checksum is that of its bytes. There are two ways to get one: to seal new
//! bytes, or to read a block from a file, which checks. A writer takes nothing else, so a damaged block is never
//! given a new checksum that hides the damage.

use std::fmt;

use crate::Fault;
use crate::encoding::{take_varint, timestamps};

/// The five types, by the number in the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum BlockType {
    /// `float64`.
    Float = 0,
    /// `int64`.
    Integer = 1,
    /// `bool`.
    Boolean = 2,
    /// Byte strings.
    String = 3,
    /// `uint64`.
    Unsigned = 4,
}

impl BlockType {
    /// All of them, by number.
    pub const ALL: [Self; 5] = [Self::Float, Self::Integer, Self::Boolean, Self::String, Self::Unsigned];

    /// By the number in the format.
    pub fn of(byte: u8) -> Result<Self, Fault> {
        Self::ALL.get(usize::from(byte)).copied().ok_or(Fault::UnknownType { byte })
    }

    /// The number in the format.
    pub const fn byte(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for BlockType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Float => "float",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::String => "string",
            Self::Unsigned => "unsigned",
        })
    }
}

/// The parts of a block's bytes, nothing decoded yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block<'a> {
    /// Type of the values.
    pub kind: BlockType,
    /// Timestamp section.
    pub times: &'a [u8],
    /// Value section.
    pub values: &'a [u8],
}

impl<'a> Block<'a> {
    /// Finds the parts.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Fault> {
        let (kind, rest) = bytes.split_first().ok_or(Fault::Truncated { what: "a block" })?;
        let kind = BlockType::of(*kind)?;
        let (len, rest) = take_varint(rest, "the length of the timestamps")?;
        let parts = usize::try_from(len).ok().and_then(|len| rest.split_at_checked(len));
        let (times, values) = parts.ok_or(Fault::Truncated { what: "timestamps" })?;
        Ok(Self { kind, times, values })
    }

    /// How many points it holds, told from the timestamp section without decoding it. At least one.
    pub fn count(&self) -> Result<u64, Fault> {
        match timestamps::count(self.times)? {
            0 => Err(Fault::NoPoints),
            count => Ok(count),
        }
    }
}

/// The bytes of a block with their checksum, which is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedBlock<'a> {
    crc: u32,
    bytes: &'a [u8],
}

impl<'a> SealedBlock<'a> {
    /// Computes the checksum of a new block.
    pub fn seal(bytes: &'a [u8]) -> Self {
        Self { crc: crc32fast::hash(bytes), bytes }
    }

    /// Checks bytes from a file: checksum, then block.
    pub fn verify(bytes: &'a [u8]) -> Result<Self, Fault> {
        let (crc, bytes) = bytes.split_first_chunk().ok_or(Fault::Truncated { what: "a block" })?;
        let (stored, sealed) = (u32::from_be_bytes(*crc), Self::seal(bytes));
        if stored == sealed.crc { Ok(sealed) } else { Err(Fault::Checksum { stored, computed: sealed.crc }) }
    }

    /// Bytes whose checksum was checked before, by one of the two ways above.
    pub(crate) fn checked(crc: u32, bytes: &'a [u8]) -> Self {
        Self { crc, bytes }
    }

    /// The checksum.
    pub fn crc(&self) -> u32 {
        self.crc
    }

    /// The block without the checksum.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Its parts.
    pub fn parse(&self) -> Result<Block<'a>, Fault> {
        Block::parse(self.bytes)
    }
}
