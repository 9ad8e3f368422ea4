//! Which readings of a key were visited: one bit each.

use splitstore_ports::Reading;

/// A small set of [`Reading`]s. Empty for a key that is marked but was never visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Readings(u8);

impl Readings {
    pub(crate) const NONE: Self = Self(0);

    /// All bits that are ever set.
    pub(crate) const ALL_BITS: u8 = 0b111;

    /// The set of one reading.
    pub(crate) const fn one(reading: Reading) -> Self {
        match reading {
            Reading::Opaque => Self(0b001),
            Reading::Dag => Self(0b010),
            Reading::Header => Self(0b100),
        }
    }

    pub(crate) const fn from_bits(bits: u8) -> Self {
        Self(bits & Self::ALL_BITS)
    }

    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    pub(crate) const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    #[cfg(all(feature = "disk", unix))]
    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What a sealed exact set keeps of a key: its fingerprint and how it was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SealedKey {
    pub(crate) fingerprint: u128,
    pub(crate) readings: Readings,
}

impl crate::sealed::Word for SealedKey {
    const BYTES: usize = size_of::<u128>() + 1;

    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.fingerprint.to_le_bytes());
        out.push(self.readings.bits());
    }

    fn get(bytes: &[u8]) -> Self {
        let (readings, fingerprint) = bytes.split_last().expect("a list is cut into whole words");
        let fingerprint = fingerprint.try_into().expect("a list is cut into whole words");
        Self { fingerprint: u128::from_le_bytes(fingerprint), readings: Readings::from_bits(*readings) }
    }
}
