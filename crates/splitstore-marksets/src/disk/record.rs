//! What a disk set keeps of a key: 17 bytes.

use crate::readings::Readings;

/// A fingerprint and how its key was read. Bytes instead of numbers, so that a table of them has no padding;
/// big-endian, so that their order is that of the numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    fingerprint: [u8; 16],
    pub(super) readings: Readings,
}

impl Record {
    pub(super) const BYTES: usize = 17;

    pub(super) const fn new(fingerprint: u128, readings: Readings) -> Self {
        Self { fingerprint: fingerprint.to_be_bytes(), readings }
    }

    pub(super) const fn fingerprint(&self) -> u128 {
        u128::from_be_bytes(self.fingerprint)
    }

    pub(super) const fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [self.readings.bits(); Self::BYTES];
        let mut at = 0;
        while at < self.fingerprint.len() {
            bytes[at] = self.fingerprint[at];
            at += 1;
        }
        bytes
    }

    pub(super) const fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let [fingerprint @ .., readings] = *bytes;
        Self { fingerprint, readings: Readings::from_bits(readings) }
    }
}
