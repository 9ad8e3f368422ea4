//! The bloom set: the least memory, lock-free, never for walks.
//!
//! 16 bits per expected key, wrong about 0.1 % of the keys that were not marked. When more keys are marked than
//! were expected, a second filter of twice the size is chained to the first, and so on: each adds its own
//! 0.1 %, so the rate stays below 1 % up to 500 times the hint, and marks are never lost.
//!
//! ```text
//!   filters   [ n keys ][ 2n ][ 4n ] ..     a mark goes to the first that is not full
//!   ask       any of them                   full ones are only read
//! ```

use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use splitstore_domain::BlockKey;
use splitstore_ports::{MarkSet, MarkSetFactory, Result, SetHint};

use crate::block_filter::BlockFilter;
use crate::fingerprint::Fingerprinter;
use crate::sealed::{Kind, SealReader, SealWriter, SealedError};

const BITS_PER_KEY: u64 = 16;

/// The size of a first filter, whatever the hint: 2 KB to 2 GiB.
const FIRST_KEYS_MIN: u64 = 1 << 10;
const FIRST_KEYS_MAX: u64 = 1 << 30;

/// Filters that can be chained: the last holds 2^33 keys at least, and is never full.
const CHAIN: usize = 24;

/// Makes bloom sets: 2 bytes per expected key.
#[derive(Debug, Clone, Copy, Default)]
pub struct BloomSets;

impl MarkSetFactory for BloomSets {
    fn name(&self) -> &'static str {
        Kind::Bloom.name()
    }

    fn create(&self, hint: &SetHint<'_>) -> Result<Arc<dyn MarkSet>> {
        Ok(Arc::new(BloomSet::new(Fingerprinter::random()?, hint.expected)?))
    }

    fn recover(&self, sealed: &mut dyn Read, _hint: &SetHint<'_>) -> Result<Arc<dyn MarkSet>> {
        let (mut reader, keys) = SealReader::start(sealed, Kind::Bloom)?;
        let chain = reader.number()?;
        let set = BloomSet::empty(keys);
        let slots = usize::try_from(chain).ok().and_then(|chain| set.chain.get(..chain));
        let Some(slots) = slots.filter(|slots| !slots.is_empty()) else {
            return Err(reader.refuse(SealedError::Value { what: "number of filters", value: chain }));
        };
        for slot in slots {
            let filter = Filter::read(&mut reader)?;
            slot.get_or_init(|| filter);
        }
        reader.finish()?;
        Ok(Arc::new(set))
    }
}

/// The set of one run.
#[derive(Debug)]
struct BloomSet {
    keys: Fingerprinter,
    /// Filled from the front; the first is always there.
    chain: [OnceLock<Filter>; CHAIN],
    growing: Mutex<()>,
}

/// One filter of the chain.
#[derive(Debug)]
struct Filter {
    /// How many keys it is good for.
    capacity: u64,
    /// How many marks changed it.
    len: AtomicU64,
    bits: BlockFilter,
}

impl BloomSet {
    fn empty(keys: Fingerprinter) -> Self {
        Self { keys, chain: [const { OnceLock::new() }; CHAIN], growing: Mutex::new(()) }
    }

    fn new(keys: Fingerprinter, expected: u64) -> Result<Self> {
        let set = Self::empty(keys);
        set.grow(&set.chain[0], expected.clamp(FIRST_KEYS_MIN, FIRST_KEYS_MAX))?;
        Ok(set)
    }

    /// Fills a slot of the chain once, whoever comes first.
    fn grow<'s>(&self, slot: &'s OnceLock<Filter>, capacity: u64) -> Result<&'s Filter> {
        let _one_at_a_time = self.growing.lock();
        if let Some(filter) = slot.get() {
            return Ok(filter);
        }
        let bits = BlockFilter::new(capacity, BITS_PER_KEY)?;
        Ok(slot.get_or_init(|| Filter { capacity, len: AtomicU64::new(0), bits }))
    }

    fn filters(&self) -> impl Iterator<Item = &Filter> {
        self.chain.iter().map_while(OnceLock::get)
    }

    fn mark(&self, fingerprint: u128) -> Result<()> {
        let mut capacity = FIRST_KEYS_MIN;
        for (slot, number) in self.chain.iter().zip(1..) {
            let filter = match slot.get() {
                Some(filter) => filter,
                None => self.grow(slot, capacity)?,
            };
            if filter.bits.contains(fingerprint) {
                return Ok(());
            }
            if number == CHAIN || filter.len.load(Ordering::Relaxed) < filter.capacity {
                if filter.bits.insert(fingerprint) {
                    filter.len.fetch_add(1, Ordering::Relaxed);
                }
                return Ok(());
            }
            capacity = filter.capacity.saturating_mul(2);
        }
        Ok(())
    }
}

impl MarkSet for BloomSet {
    fn mark_many(&self, keys: &[BlockKey]) -> Result<()> {
        keys.iter().try_for_each(|key| self.mark(self.keys.of(key)))
    }

    fn has_many(&self, keys: &[BlockKey], answers: &mut Vec<bool>) -> Result<()> {
        answers.extend(keys.iter().map(|key| {
            let fingerprint = self.keys.of(key);
            self.filters().any(|filter| filter.bits.contains(fingerprint))
        }));
        Ok(())
    }

    /// The marks that changed a filter: at most 0.1 % too few.
    fn len(&self) -> u64 {
        self.filters().map(|filter| filter.len.load(Ordering::Relaxed)).sum()
    }

    fn seal(&self, out: &mut dyn Write) -> Result<()> {
        let filters: Vec<&Filter> = self.filters().collect();
        let mut writer = SealWriter::start(out, Kind::Bloom, &self.keys)?;
        writer.number(filters.len() as u64)?;
        filters.iter().try_for_each(|filter| filter.write(&mut writer))?;
        writer.finish()
    }
}

impl Filter {
    /// capacity u64, len u64, list of words.
    fn write(&self, writer: &mut SealWriter<'_>) -> Result<()> {
        writer.number(self.capacity)?;
        writer.number(self.len.load(Ordering::Relaxed))?;
        writer.list(self.bits.words().map(Ok))
    }

    fn read(reader: &mut SealReader<'_>) -> Result<Self> {
        let capacity = reader.number()?;
        let len = reader.number()?;
        let mut words = Vec::new();
        let count = reader.list(|word: u64| {
            words.push(word);
            Ok(())
        })?;
        let Some(bits) = BlockFilter::from_words(&words) else {
            return Err(
                reader.refuse(SealedError::Value { what: "number of words in a filter", value: count })
            );
        };
        Ok(Self { capacity, len: AtomicU64::new(len), bits })
    }
}

#[cfg(test)]
mod tests {
    use splitstore_conformance::sample;

    use super::*;

    /// Eight bits choose the block, eight the bits in it.
    const PLANTED: u128 = 0xff00_0000_0000_0000_0000_0000_0000_00ff;

    #[test]
    fn planted_collisions_only_ever_keep_more() {
        let set = BloomSet::new(Fingerprinter::narrow(PLANTED), 10_000).unwrap();
        let marked = sample::keys(0..20_000);
        for batch in marked.chunks(500) {
            set.mark_many(batch).unwrap();
            let mut answers = Vec::new();
            set.has_many(batch, &mut answers).unwrap();
            assert!(answers.iter().all(|&answer| answer));
        }
        let mut answers = Vec::new();
        set.has_many(&sample::keys(0..60_000), &mut answers).unwrap();
        assert!(answers.iter().take(20_000).all(|&answer| answer));
        let kept = answers.iter().filter(|&&answer| answer).count();
        assert!(kept > 25_000, "collisions keep more than the 20,000 marked keys: {kept}");
    }
}
