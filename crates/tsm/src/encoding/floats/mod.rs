//! Floats: the XOR of each value with the one before, as Facebook's Gorilla has it, with its own quirks.
//!
//! ```text
//!   10 | first: 64 bits | per value, x = bits ^ bits of the value before:
//!
//!   x == 0                                        0
//!   x fits the window of zeros in force           1 0 | the bits inside the window
//!   else it opens a new window                    1 1 | leading zeros: 5 bits | length: 6 bits | length bits
//! ```
//! Leading zeros are counted modulo 32 (40 become 8, not 31), and a length of 64 is written as 0.
//! The value [`END`], a NaN, ends the stream, which is then padded with zeros to a byte. So no block can hold it.

mod decode;
mod encode;

pub use decode::decode;
pub use encode::encode;

/// The bits of the NaN that ends a section.
pub const END: u64 = 0x7ff8_0000_0000_0001;

/// Bits of the field of leading zeros, and of that of the length.
const LEAD_BITS: u32 = 5;
const LEN_BITS: u32 = 6;
