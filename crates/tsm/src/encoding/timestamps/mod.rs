//! Timestamps: differences, divided by a power of ten that divides them all.
//!
//! ```text
//!   raw     00 | first i64 | difference u64 * (n-1)
//!   packed  1k | first i64 | simple8b words of difference / 10^k
//!   rle     2k | first i64 | uvarint difference / 10^k | uvarint n
//! ```
//! k is 0 to 12. A single timestamp is `1c` and eight bytes; no timestamps are no bytes at all.
//! Differences wrap, so timestamps need not ascend here; that is for `verify` to find.

mod decode;
mod encode;

pub use decode::{count, decode};
pub use encode::encode;

/// The largest power of ten that differences are divided by.
const POWER_MAX: u8 = 12;

/// Powers of ten.
const POWERS: [u64; 13] = {
    let mut powers = [1; 13];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};
