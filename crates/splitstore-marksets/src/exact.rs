//! The exact set in memory.
//!
//! It stores 128-bit fingerprints under a secret, not whole keys. Two keys of one set share a fingerprint with
//! a chance of n^2 / 2^129: 1.5e-23 for 10^8 keys, less than a memory error; and the secret keeps anybody
//! from helping chance. Whole digests of 32 bytes would double the memory for nothing else.
//!
//! ```text
//!   fingerprint   127 ......................... 8 | 7 .. 0
//!   slot          the same 120 bits               | readings      17 bytes with the table's own byte
//!   shard                                           256 of them: the place says what the slot left out
//! ```
//! So all 128 bits are compared. A table is between 7/16 and 7/8 full, hence 20 to 39 bytes per key; it grows
//! shard by shard, so there is no moment with two whole tables.
//!
//! A batch is sorted by shard and each shard is locked once, which is a quarter faster than key by key; a short
//! batch is not worth the sort. No lock is held while a sealed set is written.

use std::io::{Read, Write};
use std::sync::Arc;

use hashbrown::hash_table::{Entry, HashTable};
use parking_lot::Mutex;
use splitstore_domain::BlockKey;
use splitstore_ports::{
    ErrorKind, MarkSet, MarkSetFactory, PortError, Result, SetHint, Visit, VisitSet, VisitSetFactory,
};

use crate::fingerprint::{Fingerprinter, lower, upper};
use crate::readings::{Readings, SealedKey};
use crate::sealed::{Kind, SealReader, SealWriter};

/// Fixed: the shard stands for the eight bits that its slots leave to the readings.
const SHARDS: usize = 256;
const SHARD_BITS: u128 = 0xff;

/// Below this a batch is taken key by key: it would not meet a shard twice.
const SORTED_BATCH_MIN: usize = 128;

/// What a hint may make a new set reserve: 2^27 keys, at most 4.9 GB of addresses, touched as they fill.
const PRESIZE_MAX: u64 = 1 << 27;

/// Makes exact sets in memory: 20 to 39 bytes per key.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExactSets;

impl MarkSetFactory for ExactSets {
    fn name(&self) -> &'static str {
        Kind::Exact.name()
    }

    fn create(&self, hint: &SetHint<'_>) -> Result<Arc<dyn MarkSet>> {
        Ok(Arc::new(ExactSet::new(Fingerprinter::random()?, hint.expected)?))
    }

    fn recover(&self, sealed: &mut dyn Read, hint: &SetHint<'_>) -> Result<Arc<dyn MarkSet>> {
        Ok(Arc::new(ExactSet::recover(sealed, hint)?))
    }
}

impl VisitSetFactory for ExactSets {
    fn name(&self) -> &'static str {
        Kind::Exact.name()
    }

    fn create(&self, hint: &SetHint<'_>) -> Result<Arc<dyn VisitSet>> {
        Ok(Arc::new(ExactSet::new(Fingerprinter::random()?, hint.expected)?))
    }

    fn recover_visits(&self, sealed: &mut dyn Read, hint: &SetHint<'_>) -> Result<Arc<dyn VisitSet>> {
        Ok(Arc::new(ExactSet::recover(sealed, hint)?))
    }
}

/// The set of one run.
#[derive(Debug)]
struct ExactSet {
    keys: Fingerprinter,
    shards: Box<[Shard]>,
}

type Slots = HashTable<u128>;

/// A cache line of its own, so that neighbours do not slow each other down.
#[derive(Debug)]
#[repr(align(64))]
struct Shard(Mutex<Slots>);

impl ExactSet {
    fn new(keys: Fingerprinter, expected: u64) -> Result<Self> {
        let mean = expected.min(PRESIZE_MAX) / SHARDS as u64;
        // Shards fill unevenly: six standard deviations of a Poisson distribution.
        let each = usize::try_from(mean + 6 * mean.isqrt()).unwrap_or(usize::MAX);
        let shards = (0..SHARDS).map(|_| {
            let mut slots = Slots::new();
            reserve(&mut slots, each)?;
            Ok(Shard(Mutex::new(slots)))
        });
        Ok(Self { keys, shards: shards.collect::<Result<_>>()? })
    }

    fn recover(sealed: &mut dyn Read, hint: &SetHint<'_>) -> Result<Self> {
        let (mut reader, keys) = SealReader::start(sealed, Kind::Exact)?;
        let set = Self::new(keys, hint.expected)?;
        reader.list(|SealedKey { fingerprint, readings }| {
            add(&mut set.shard(fingerprint).lock(), fingerprint, readings).map(|_before| ())
        })?;
        reader.finish()?;
        Ok(set)
    }

    fn shard(&self, fingerprint: u128) -> &Mutex<Slots> {
        &self.shards.get(shard_of(fingerprint)).expect("there is a shard for every byte").0
    }

    fn fingerprints<'k>(&self, keys: impl ExactSizeIterator<Item = &'k BlockKey>) -> Vec<u128> {
        keys.map(|key| self.keys.of(key)).collect()
    }

    /// Calls `each` for every index of the batch with the slots of its shard, in the batch's order per shard.
    fn grouped(
        &self,
        batch: &[u128],
        mut each: impl FnMut(&mut Slots, usize, u128) -> Result<()>,
    ) -> Result<()> {
        if batch.len() < SORTED_BATCH_MIN {
            return batch.iter().enumerate().try_for_each(|(index, &fingerprint)| {
                each(&mut self.shard(fingerprint).lock(), index, fingerprint)
            });
        }
        for group in by_shard(batch).chunk_by(|&(_, a), &(_, b)| shard_of(a) == shard_of(b)) {
            let Some(&(_, fingerprint)) = group.first() else { continue };
            let mut slots = self.shard(fingerprint).lock();
            group.iter().try_for_each(|&(index, fingerprint)| each(&mut slots, index, fingerprint))?;
        }
        Ok(())
    }
}

impl MarkSet for ExactSet {
    fn mark_many(&self, keys: &[BlockKey]) -> Result<()> {
        let batch = self.fingerprints(keys.iter());
        self.grouped(&batch, |slots, _, fingerprint| {
            add(slots, fingerprint, Readings::NONE).map(|_before| ())
        })
    }

    fn has_many(&self, keys: &[BlockKey], answers: &mut Vec<bool>) -> Result<()> {
        let batch = self.fingerprints(keys.iter());
        let begin = answers.len();
        answers.resize(begin + batch.len(), false);
        self.grouped(&batch, |slots, index, fingerprint| {
            let there = slots.find(upper(fingerprint), |&slot| same(slot, fingerprint)).is_some();
            if let Some(answer) = answers.get_mut(begin + index) {
                *answer = there;
            }
            Ok(())
        })
    }

    fn len(&self) -> u64 {
        self.shards.iter().map(|shard| shard.0.lock().len() as u64).sum()
    }

    fn seal(&self, out: &mut dyn Write) -> Result<()> {
        let mut writer = SealWriter::start(out, Kind::Exact, &self.keys)?;
        let all = self.shards.iter().zip(0_u128..).flat_map(|(shard, number)| {
            let slots: Vec<u128> = shard.0.lock().iter().copied().collect();
            slots.into_iter().map(move |slot| {
                Ok(SealedKey { fingerprint: slot & !SHARD_BITS | number, readings: readings_of(slot) })
            })
        });
        writer.list(all)?;
        writer.finish()
    }
}

impl VisitSet for ExactSet {
    fn visit_many(&self, visits: &[Visit], first: &mut Vec<bool>) -> Result<()> {
        let batch = self.fingerprints(visits.iter().map(|visit| &visit.key));
        let begin = first.len();
        first.resize(begin + batch.len(), false);
        self.grouped(&batch, |slots, index, fingerprint| {
            let (Some(visit), Some(answer)) = (visits.get(index), first.get_mut(begin + index)) else {
                return Ok(());
            };
            let reading = Readings::one(visit.reading);
            *answer = !add(slots, fingerprint, reading)?.contains(reading);
            Ok(())
        })
    }

    fn visited_many(&self, visits: &[Visit], before: &mut Vec<bool>) -> Result<()> {
        before.extend(visits.iter().map(|visit| {
            let fingerprint = self.keys.of(&visit.key);
            let slots = self.shard(fingerprint).lock();
            let slot = slots.find(upper(fingerprint), |&slot| same(slot, fingerprint));
            slot.is_some_and(|&slot| readings_of(slot).contains(Readings::one(visit.reading)))
        }));
        Ok(())
    }
}

fn shard_of(fingerprint: u128) -> usize {
    usize::from(lower(fingerprint).to_le_bytes()[0])
}

fn same(slot: u128, fingerprint: u128) -> bool {
    (slot ^ fingerprint) & !SHARD_BITS == 0
}

fn readings_of(slot: u128) -> Readings {
    Readings::from_bits(lower(slot).to_le_bytes()[0])
}

/// Marks and adds readings; returns those it had before.
fn add(slots: &mut Slots, fingerprint: u128, readings: Readings) -> Result<Readings> {
    reserve(slots, 1)?;
    let bits = u128::from(readings.bits());
    match slots.entry(upper(fingerprint), |&slot| same(slot, fingerprint), |&slot| upper(slot)) {
        Entry::Occupied(mut entry) => {
            let before = readings_of(*entry.get());
            *entry.get_mut() |= bits;
            Ok(before)
        }
        Entry::Vacant(entry) => {
            entry.insert(fingerprint & !SHARD_BITS | bits);
            Ok(Readings::NONE)
        }
    }
}

/// Makes room, so that growing is an error and not the end of the process.
fn reserve(slots: &mut Slots, more: usize) -> Result<()> {
    slots.try_reserve(more, |&slot| upper(slot)).map_err(|_| {
        let attempt = format!("grow a shard of {} keys of the exact mark set by {more}", slots.len());
        PortError::bare(ErrorKind::Unavailable, attempt)
    })
}

/// The batch with its indices, sorted by shard, each shard in the batch's order: one counting sort.
fn by_shard(batch: &[u128]) -> Vec<(usize, u128)> {
    let mut next = [0_usize; SHARDS + 1];
    for &fingerprint in batch {
        next[shard_of(fingerprint) + 1] += 1;
    }
    for shard in 0..SHARDS {
        next[shard + 1] += next[shard];
    }
    let mut sorted = vec![(0, 0); batch.len()];
    for (index, &fingerprint) in batch.iter().enumerate() {
        let place = &mut next[shard_of(fingerprint)];
        sorted[*place] = (index, fingerprint);
        *place += 1;
    }
    sorted
}

#[cfg(test)]
mod tests {
    use splitstore_ports::Reading;

    use super::*;

    fn fingerprint(number: u64) -> u128 {
        xxhash_rust::xxh3::xxh3_128(&number.to_le_bytes())
    }

    #[test]
    fn a_set_sized_by_its_hint_never_grows_and_takes_at_most_39_bytes_a_key() {
        for expected in [100_000, 400_000, 500_000, 1_000_000] {
            let set = ExactSet::new(Fingerprinter::random().unwrap(), expected).unwrap();
            let bytes = || set.shards.iter().map(|shard| shard.0.lock().allocation_size()).sum::<usize>();
            let before = bytes();
            for number in 0..expected {
                let fingerprint = fingerprint(number);
                add(&mut set.shard(fingerprint).lock(), fingerprint, Readings::NONE).unwrap();
            }
            assert_eq!(set.len(), expected);
            assert_eq!(bytes(), before, "{expected} keys");
            println!("{expected} keys: {} bytes each", bytes() as u64 / expected);
        }
    }

    #[test]
    fn every_bit_of_a_fingerprint_tells_two_keys_apart() {
        let set = ExactSet::new(Fingerprinter::random().unwrap(), 0).unwrap();
        let one = fingerprint(1);
        for fingerprint in (0..128).map(|bit| one ^ (1 << bit)).chain([one]) {
            let before = add(&mut set.shard(fingerprint).lock(), fingerprint, Readings::one(Reading::Dag));
            assert_eq!(before.unwrap(), Readings::NONE);
        }
        assert_eq!(set.len(), 129);
    }
}
