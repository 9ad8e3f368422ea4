//! Numbers for fingerprints: a sorted list and where in it to look.
//!
//! ```text
//!   starts         |0 |15|33|47| ..      one per value of the upper bits, 16 fingerprints on average
//!                   |  \
//!   fingerprints   |... 16 ...|... 18 ...| ..     ascending, each once; the ordinal is the place
//! ```
//! Keyed fingerprints are uniform, so a look-up is one miss in `starts` and one or two in the list: 8.25 bytes
//! per key. Two keys with one fingerprint share an ordinal: marking one marks both.

use splitstore_ports::{ErrorKind, KeyScan, PortError, Result};

use crate::fingerprint::Fingerprinter;

/// Keys per call of the scan.
const SCAN_BATCH: usize = 4096;

/// Fingerprints per entry of `starts`, on average.
const PER_START: usize = 16;

#[derive(Debug)]
pub(crate) struct Ordinals {
    fingerprints: Box<[u64]>,
    starts: Box<[u32]>,
    /// What leaves the index into `starts` of a fingerprint.
    shift: u32,
}

impl Ordinals {
    /// Numbers every key of a scan; `Unsupported` above 2^32 - 1 of them.
    pub(crate) fn of_scan(universe: &dyn KeyScan, keys: &Fingerprinter) -> Result<Self> {
        let mut fingerprints = Vec::new();
        let mut cursor = universe.keys()?;
        let mut batch = Vec::with_capacity(SCAN_BATCH);
        loop {
            cursor.next_batch(&mut batch, SCAN_BATCH)?;
            if batch.is_empty() {
                break;
            }
            fingerprints.extend(batch.drain(..).map(|entry| keys.short(&entry.key)));
            check_len(fingerprints.len())?;
        }
        fingerprints.sort_unstable();
        fingerprints.dedup();
        Ok(Self::of_sorted(fingerprints.into()))
    }

    /// Over fingerprints that ascend, each once; at most 2^32 - 1 of them.
    pub(crate) fn of_sorted(fingerprints: Box<[u64]>) -> Self {
        let bits = (fingerprints.len() / PER_START).max(2).ilog2();
        let shift = u64::BITS - bits;
        let mut starts = Vec::with_capacity((1 << bits) + 1);
        let mut at = 0;
        for start in 0..1_u64 << bits {
            while fingerprints.get(at).is_some_and(|fingerprint| fingerprint >> shift < start) {
                at += 1;
            }
            starts.push(narrow(at));
        }
        starts.push(narrow(fingerprints.len()));
        Self { fingerprints, starts: starts.into(), shift }
    }

    /// The ordinal of a fingerprint.
    pub(crate) fn find(&self, fingerprint: u64) -> Option<u32> {
        let start = usize::try_from(fingerprint >> self.shift).ok()?;
        let (&from, &to) = (self.starts.get(start)?, self.starts.get(start + 1)?);
        let range = usize::try_from(from).ok()?..usize::try_from(to).ok()?;
        let place = self.fingerprints.get(range)?.binary_search(&fingerprint).ok()?;
        Some(from + narrow(place))
    }

    /// All fingerprints, ascending.
    pub(crate) fn fingerprints(&self) -> &[u64] {
        &self.fingerprints
    }

    pub(crate) fn len(&self) -> usize {
        self.fingerprints.len()
    }
}

/// Whether so many keys can be numbered.
pub(crate) fn check_len(len: usize) -> Result<()> {
    if u32::try_from(len).is_ok() {
        return Ok(());
    }
    let attempt = format!("number {len} keys for a roaring mark set, which takes {}", u32::MAX);
    Err(PortError::bare(ErrorKind::Unsupported, attempt))
}

fn narrow(at: usize) -> u32 {
    u32::try_from(at).expect("the number of fingerprints was checked to fit 32 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fingerprint_has_its_own_ordinal_and_others_have_none() {
        for len in [0_u64, 1, 2, 31, 32, 33, 1000, 50_000] {
            let mut all: Vec<u64> = (0..len).map(|at| at.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1).collect();
            all.extend([u64::MAX, 1]);
            all.sort_unstable();
            all.dedup();
            let ordinals = Ordinals::of_sorted(all.clone().into());
            for (&fingerprint, ordinal) in all.iter().zip(0..) {
                assert_eq!(ordinals.find(fingerprint), Some(ordinal));
                assert_eq!(ordinals.find(fingerprint & !1), None);
            }
        }
        assert_eq!(Ordinals::of_sorted([].into()).find(7), None);
    }

    #[test]
    fn more_keys_than_32_bits_number_are_unsupported() {
        assert!(check_len(u32::MAX as usize).is_ok());
        let error = check_len(u32::MAX as usize + 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.attempt().contains("4294967296"), "{error}");
    }
}
