//! Integers, signed and unsigned: zigzag of wrapping differences, the first one from zero.
//!
//! ```text
//!   raw     00 | zigzag(first) u64 | zigzag(difference) u64 * (n-1)
//!   packed  10 | zigzag(first) u64 | simple8b words of zigzag(difference)
//!   rle     20 | zigzag(first) u64 | uvarint zigzag(difference) | uvarint n-1        (n > 2)
//! ```
//! Unsigned integers are taken as the signed ones of the same bits. No integers are no bytes at all.

mod decode;
mod encode;

pub use decode::{count, decode};
pub use encode::encode;

/// `i64` and `u64`.
pub trait Integer: Copy + Default {
    /// The signed integer of the same bits.
    fn signed(self) -> i64;
    /// Back.
    fn of_signed(signed: i64) -> Self;
}

impl Integer for i64 {
    fn signed(self) -> i64 {
        self
    }
    fn of_signed(signed: i64) -> Self {
        signed
    }
}

impl Integer for u64 {
    fn signed(self) -> i64 {
        self.cast_signed()
    }
    fn of_signed(signed: i64) -> Self {
        signed.cast_unsigned()
    }
}

/// 0, -1, 1, -2, 2 .. become 0, 1, 2, 3, 4 ..
const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zigzag_goes_there_and_back() {
        assert_eq!([0, -1, 1, -2, i64::MAX, i64::MIN].map(zigzag), [0, 1, 2, 3, u64::MAX - 1, u64::MAX]);
        for value in [0, 1, -1, i64::MAX, i64::MIN, 12_345, -12_345] {
            assert_eq!(unzigzag(zigzag(value)), value);
        }
    }
}
