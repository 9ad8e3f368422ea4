//! Simple8b: as many small integers as fit, in 64-bit words.
//!
//! ```text
//!   bit 63    60 59                                                          0
//!      +--------+-------------------------------------------------------------+
//!      |selector| value n-1 |            ...            | value 1  | value 0   |    big-endian on disk
//!      +--------+-------------------------------------------------------------+
//!
//!   selector  0    1    2    3    4    5    6    7    8    9   10   11   12   13   14   15
//!   values    240  120  60   30   20   15   12   10   8    7    6    5    4    3    2    1
//!   bits      0    0    1    2    3    4    5    6    7    8   10   12   15   20   30   60
//! ```
//! Selectors 0 and 1 stand for runs of the value 1, not 0, and their payload counts for nothing.
//! A word is always full: the last values of a sequence go into words of fewer, larger values.

pub mod decode;
pub mod encode;

/// The largest value a word can hold.
pub const VALUE_MAX: u64 = (1 << 60) - 1;

/// Values in a word, by selector.
pub(crate) const COUNTS: [usize; 16] = [240, 120, 60, 30, 20, 15, 12, 10, 8, 7, 6, 5, 4, 3, 2, 1];
/// Bits of a value, by selector.
pub(crate) const BITS: [u32; 16] = [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 30, 60];

/// Calls a function generic over count and bits (and what stands in brackets) with those of a selector.
macro_rules! by_selector {
    ($selector:expr, $generic:ident [$($more:ty),*], $($argument:expr),*) => {
        match $selector {
            2 => $generic::<60, 1, $($more),*>($($argument),*),
            3 => $generic::<30, 2, $($more),*>($($argument),*),
            4 => $generic::<20, 3, $($more),*>($($argument),*),
            5 => $generic::<15, 4, $($more),*>($($argument),*),
            6 => $generic::<12, 5, $($more),*>($($argument),*),
            7 => $generic::<10, 6, $($more),*>($($argument),*),
            8 => $generic::<8, 7, $($more),*>($($argument),*),
            9 => $generic::<7, 8, $($more),*>($($argument),*),
            10 => $generic::<6, 10, $($more),*>($($argument),*),
            11 => $generic::<5, 12, $($more),*>($($argument),*),
            12 => $generic::<4, 15, $($more),*>($($argument),*),
            13 => $generic::<3, 20, $($more),*>($($argument),*),
            14 => $generic::<2, 30, $($more),*>($($argument),*),
            _ => $generic::<1, 60, $($more),*>($($argument),*),
        }
    };
}
pub(crate) use by_selector;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_needs_more_than_sixty_bits() {
        for (count, bits) in COUNTS.iter().zip(BITS) {
            assert!(*count as u64 * u64::from(bits) <= 60);
        }
    }
}
