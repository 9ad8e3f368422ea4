//! How much power is behind a chain: a natural number of any size.

use std::cmp::Ordering;
use std::fmt;

/// A chain weight, compared as the number it is.
///
/// On the wire: nothing for 0, else a sign byte 0 and the magnitude, most significant byte first.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Weight {
    /// Big-endian, without leading zeros.
    magnitude: Box<[u8]>,
}

/// The longest big integer in bytes, sign included, that Filecoin takes.
const BYTES_MAX: usize = 128;

impl Weight {
    /// Reads the bytes of the wire; `None` for a negative number, an unknown sign or more than 128 bytes.
    pub fn from_wire(bytes: &[u8]) -> Option<Self> {
        let magnitude = match bytes {
            [] => bytes,
            [0, magnitude @ ..] if bytes.len() <= BYTES_MAX => magnitude,
            _ => return None,
        };
        let zeros = magnitude.iter().take_while(|byte| **byte == 0).count();
        Some(Self { magnitude: magnitude.get(zeros..).unwrap_or_default().into() })
    }

    /// The number, most significant byte first, without leading zeros; nothing for 0.
    pub fn as_be_bytes(&self) -> &[u8] {
        &self.magnitude
    }
}

impl Ord for Weight {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_length = self.magnitude.len().cmp(&other.magnitude.len());
        by_length.then_with(|| self.magnitude.cmp(&other.magnitude))
    }
}

impl PartialOrd for Weight {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Weight {
    /// Hexadecimal, as in `0x7d8f2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, rest)) = self.magnitude.split_first() else { return f.write_str("0x0") };
        write!(f, "0x{first:x}")?;
        rest.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
