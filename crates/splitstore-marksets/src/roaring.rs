//! The roaring set: one bit for each key that was in the store when the run began.
//!
//! ```text
//!   universe, scanned once -> sorted keyed 64-bit fingerprints -> ordinal -> bit      8.4 bytes per key
//!   keys written later     -> a set of fingerprints beside it (`overflow`)            about 20 bytes per key
//! ```
//! Ordinals are dense, which is what roaring bitmaps are good at; over hashes they would be lists. While the set
//! lives its bits are plain words: marking and asking are lock-free, and asking is what foreground reads do
//! while a purge runs. It is sealed as a roaring bitmap, which is small where few or nearly all bits are set.
//!
//! Keys that share a fingerprint are all marked when one is, so a collision keeps a block and never loses one,
//! ground or not.
//!
//! Sealed body: list of fingerprints (u64, ascending), list of the bitmap's bytes in the roaring format
//! specification's portable form, list of overflow fingerprints (u64).

use std::collections::HashSet;
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ::roaring::RoaringBitmap;
use parking_lot::RwLock;
use splitstore_domain::BlockKey;
use splitstore_ports::{KeyScan, MarkSet, MarkSetFactory, Result, SetHint};

use crate::fingerprint::Fingerprinter;
use crate::ordinals::{Ordinals, check_len};
use crate::sealed::{Kind, SealReader, SealWriter, SealedError};

/// Makes roaring sets: 8.4 bytes per key of the hint's universe, which is scanned once on `create`.
///
/// A universe of more than 2^32 - 1 keys is `Unsupported`.
#[derive(Debug, Clone, Copy, Default)]
pub struct RoaringSets;

impl MarkSetFactory for RoaringSets {
    fn name(&self) -> &'static str {
        Kind::Roaring.name()
    }

    fn create(&self, hint: &SetHint<'_>) -> Result<Arc<dyn MarkSet>> {
        Ok(Arc::new(RoaringSet::new(Fingerprinter::random()?, hint.universe)?))
    }

    fn recover(&self, sealed: &mut dyn Read, _hint: &SetHint<'_>) -> Result<Arc<dyn MarkSet>> {
        let (mut reader, keys) = SealReader::start(sealed, Kind::Roaring)?;
        let ordinals = read_ordinals(&mut reader)?;
        let bitmap = read_bitmap(&mut reader)?;
        let mut set = RoaringSet::empty(keys, ordinals);
        for ordinal in bitmap {
            if !set.mark_ordinal(ordinal) {
                return Err(reader.refuse(SealedError::Value { what: "mark", value: ordinal.into() }));
            }
        }
        let overflow = set.overflow.get_mut();
        reader.list(|fingerprint: u64| {
            overflow.insert(fingerprint);
            Ok(())
        })?;
        reader.finish()?;
        Ok(Arc::new(set))
    }
}

fn read_ordinals(reader: &mut SealReader<'_>) -> Result<Ordinals> {
    let mut fingerprints: Vec<u64> = Vec::new();
    let value = reader.list(|fingerprint| {
        fingerprints.push(fingerprint);
        check_len(fingerprints.len())
    })?;
    if !fingerprints.is_sorted_by(|a, b| a < b) {
        return Err(reader.refuse(SealedError::Value { what: "fingerprints out of order", value }));
    }
    Ok(Ordinals::of_sorted(fingerprints.into()))
}

fn read_bitmap(reader: &mut SealReader<'_>) -> Result<RoaringBitmap> {
    let mut bytes: Vec<u8> = Vec::new();
    reader.list(|byte| {
        bytes.push(byte);
        Ok(())
    })?;
    RoaringBitmap::deserialize_from(bytes.as_slice()).map_err(|source| reader.refuse(source))
}

/// The set of one run.
#[derive(Debug)]
struct RoaringSet {
    keys: Fingerprinter,
    ordinals: Ordinals,
    /// One bit per ordinal.
    marks: Box<[AtomicU64]>,
    marked: AtomicU64,
    /// Fingerprints of marked keys that are outside the universe.
    overflow: RwLock<HashSet<u64>>,
}

impl RoaringSet {
    fn new(keys: Fingerprinter, universe: &dyn KeyScan) -> Result<Self> {
        let ordinals = Ordinals::of_scan(universe, &keys)?;
        Ok(Self::empty(keys, ordinals))
    }

    fn empty(keys: Fingerprinter, ordinals: Ordinals) -> Self {
        let marks = (0..ordinals.len().div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        Self { keys, ordinals, marks, marked: AtomicU64::new(0), overflow: RwLock::default() }
    }

    /// The word and the bit of an ordinal.
    fn place(&self, ordinal: u32) -> Option<(&AtomicU64, u64)> {
        let word = usize::try_from(ordinal / 64).ok()?;
        Some((self.marks.get(word)?, 1 << (ordinal % 64)))
    }

    /// Whether there is such an ordinal.
    fn mark_ordinal(&self, ordinal: u32) -> bool {
        let known = usize::try_from(ordinal).is_ok_and(|ordinal| ordinal < self.ordinals.len());
        let Some((word, bit)) = self.place(ordinal).filter(|_| known) else { return false };
        if word.load(Ordering::Acquire) & bit == 0 && word.fetch_or(bit, Ordering::AcqRel) & bit == 0 {
            self.marked.fetch_add(1, Ordering::Relaxed);
        }
        true
    }

    fn has(&self, fingerprint: u64) -> bool {
        match self.ordinals.find(fingerprint) {
            Some(ordinal) => {
                self.place(ordinal).is_some_and(|(word, bit)| word.load(Ordering::Acquire) & bit != 0)
            }
            None => self.overflow.read().contains(&fingerprint),
        }
    }

    fn bitmap(&self) -> RoaringBitmap {
        let bytes: Vec<u8> =
            self.marks.iter().flat_map(|word| word.load(Ordering::Acquire).to_le_bytes()).collect();
        RoaringBitmap::from_lsb0_bytes(0, &bytes)
    }
}

impl MarkSet for RoaringSet {
    fn mark_many(&self, keys: &[BlockKey]) -> Result<()> {
        for key in keys {
            let fingerprint = self.keys.short(key);
            match self.ordinals.find(fingerprint) {
                Some(ordinal) => {
                    self.mark_ordinal(ordinal);
                }
                None => {
                    self.overflow.write().insert(fingerprint);
                }
            }
        }
        Ok(())
    }

    fn has_many(&self, keys: &[BlockKey], answers: &mut Vec<bool>) -> Result<()> {
        answers.extend(keys.iter().map(|key| self.has(self.keys.short(key))));
        Ok(())
    }

    fn len(&self) -> u64 {
        self.marked.load(Ordering::Relaxed) + self.overflow.read().len() as u64
    }

    fn seal(&self, out: &mut dyn Write) -> Result<()> {
        let mut writer = SealWriter::start(out, Kind::Roaring, &self.keys)?;
        writer.list(self.ordinals.fingerprints().iter().copied().map(Ok))?;
        let mut bytes = Vec::new();
        self.bitmap().serialize_into(&mut bytes).map_err(|source| writer.attempt(source))?;
        writer.list(bytes.into_iter().map(Ok))?;
        let mut overflow: Vec<u64> = self.overflow.read().iter().copied().collect();
        overflow.sort_unstable();
        writer.list(overflow.into_iter().map(Ok))?;
        writer.finish()
    }
}

#[cfg(test)]
mod tests {
    use splitstore_conformance::{Universe, sample};

    use super::*;

    /// The upper half alone is looked at: 16 bits of it.
    const PLANTED: u128 = 0xf00f_0000_0000_0ff0 << 64;

    #[test]
    fn planted_collisions_only_ever_keep_more() {
        let keys = Fingerprinter::narrow(PLANTED);
        let universe = Universe::of(sample::keys(0..100_000));
        let set = RoaringSet::new(keys.clone(), &universe).unwrap();
        assert!(set.ordinals.len() < 60_000, "100,000 keys in 16 bits collide");
        set.mark_many(&sample::keys(0..20_000)).unwrap();
        set.mark_many(&sample::keys(100_000..120_000)).unwrap();
        let marked: HashSet<u64> = sample::keys(0..20_000)
            .iter()
            .chain(&sample::keys(100_000..120_000))
            .map(|key| keys.short(key))
            .collect();
        let mut answers = Vec::new();
        let asked = sample::keys(0..140_000);
        set.has_many(&asked, &mut answers).unwrap();
        let kept = answers.iter().filter(|&&answer| answer).count();
        assert!(kept > 60_000, "collisions keep more than the 40,000 marked keys: {kept}");
        for (key, answer) in asked.iter().zip(answers) {
            assert_eq!(answer, marked.contains(&keys.short(key)), "all keys of a fingerprint, and no others");
        }
        assert_eq!(set.len(), marked.len() as u64);
    }
}
