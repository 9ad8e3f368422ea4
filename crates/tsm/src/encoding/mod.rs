//! The encodings of sections: one folder per kind of value, each with its encoder and decoder.
//!
//! ```text
//!   section = first byte | rest          high nibble of the first byte: the encoding
//!                                        low nibble: the divisor's power of ten (timestamps), else 0
//! ```
//! Two families of encoders write the same format and differ in a few choices; [`Family`] says which.
//! Decoders take bytes from anywhere: they never panic, and never allocate more than the caller's limit.

pub mod booleans;
pub mod floats;
pub mod integers;
pub mod simple8b;
pub mod strings;
pub mod timestamps;

mod bits;
mod bytes;

pub(crate) use bytes::{put_varint, take_varint};

/// Which of `InfluxDB`'s encoders to equal, byte for byte.
///
/// | | `Snapshot` | `Compaction` |
/// |---|---|---|
/// | who | streaming encoders, cache to level 1 | batch encoders, level 2 and up |
/// | runs of ones among timestamps | only if all of the next 240 are ones | wherever 120 or 240 stand |
/// | runs of ones among integers | only if all that is left are ones | wherever 120 or 240 stand |
/// | a large first integer | makes the section raw | does not |
/// | no booleans | a spurious zero byte | none |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// What writes a cache to disk.
    Snapshot,
    /// What writes merged blocks.
    Compaction,
}

/// What a float encoder does with NaN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nans {
    /// Refuses every NaN, as `InfluxDB` does on input; told by bits, so infinities are fine.
    Refuse,
    /// Keeps the bits of every NaN but the one that ends a block, which the format cannot hold.
    Keep,
}

/// How to encode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Encoding {
    /// Whose choices.
    pub family: Family,
    /// What about NaN.
    pub nans: Nans,
}

impl Encoding {
    /// As a cache is written.
    pub const SNAPSHOT: Self = Self { family: Family::Snapshot, nans: Nans::Refuse };
    /// As merged blocks are written.
    pub const COMPACTION: Self = Self { family: Family::Compaction, nans: Nans::Refuse };

    /// Also takes NaN that came out of a file.
    pub const fn keeping_nans(self) -> Self {
        Self { nans: Nans::Keep, ..self }
    }
}

/// First bytes of sections; timestamps put a power of ten into the low nibble.
pub(crate) mod tag {
    pub(crate) const RAW: u8 = 0x00;
    pub(crate) const PACKED: u8 = 0x10;
    pub(crate) const RLE: u8 = 0x20;
    pub(crate) const GORILLA: u8 = 0x10;
    pub(crate) const BITMAP: u8 = 0x10;
    pub(crate) const SNAPPY: u8 = 0x10;
}
