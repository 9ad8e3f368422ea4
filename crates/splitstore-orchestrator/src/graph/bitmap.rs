//! Marks of a walk over a snapshot: one bit per block and reading.
//!
//! It knows the keys of its snapshot and no others; what was written later is in the exact set beside it
//! ([`crate::sets::WalkSets`]).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use splitstore_domain::BlockKey;
use splitstore_ports::Reading;

use super::index::Index;

const READINGS: [Reading; 3] = [Reading::Opaque, Reading::Dag, Reading::Header];

/// The marks of one walk.
pub(crate) struct Bitmap {
    index: Arc<Index>,
    pub(super) bits: [Box<[AtomicU64]>; READINGS.len()],
}

impl Bitmap {
    /// Nothing is marked.
    pub(crate) fn new(index: Arc<Index>) -> Self {
        let words = index.len().div_ceil(u64::BITS);
        Self { index, bits: READINGS.map(|_| (0..words).map(|_| AtomicU64::new(0)).collect()) }
    }

    /// The keys it knows.
    pub(crate) const fn index(&self) -> &Arc<Index> {
        &self.index
    }

    /// The ordinal of a key of the snapshot.
    pub(crate) fn find(&self, key: &BlockKey) -> Option<u32> {
        self.index.find(key.as_bytes())
    }

    /// Marks; whether it is the first time under this reading.
    pub(crate) fn visit(&self, ordinal: u32, reading: Reading) -> bool {
        let (word, bit) = self.place(ordinal, reading);
        // Most visits are not the first: looking costs less than a locked write.
        word.load(Ordering::Relaxed) & bit == 0 && word.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }

    /// Whether it was marked under this reading.
    pub(crate) fn is_visited(&self, ordinal: u32, reading: Reading) -> bool {
        let (word, bit) = self.place(ordinal, reading);
        word.load(Ordering::Relaxed) & bit != 0
    }

    /// The readings under which it was marked.
    pub(crate) fn readings(&self, ordinal: u32) -> impl Iterator<Item = Reading> + '_ {
        READINGS.into_iter().filter(move |reading| self.is_visited(ordinal, *reading))
    }

    /// Whether it was marked under any reading.
    pub(crate) fn is_marked(&self, ordinal: u32) -> bool {
        self.readings(ordinal).next().is_some()
    }

    /// How many blocks are marked.
    pub(crate) fn len(&self) -> u64 {
        self.words().map(|word| u64::from(word.count_ones())).sum()
    }

    /// The marks under any reading.
    fn words(&self) -> impl Iterator<Item = u64> + '_ {
        let any = |at: usize| self.bits.iter().fold(0, |any, bits| any | bits[at].load(Ordering::Relaxed));
        (0..self.bits[0].len()).map(any)
    }

    fn place(&self, ordinal: u32, reading: Reading) -> (&AtomicU64, u64) {
        let bits = &self.bits[reading as usize];
        (&bits[(ordinal / u64::BITS) as usize], 1 << (ordinal % u64::BITS))
    }
}

#[cfg(test)]
mod tests {
    use super::super::keyed::{ID_BITS, Keyed};
    use super::*;

    #[test]
    fn each_reading_is_first_once_and_a_block_counts_once() {
        let ids: Vec<u64> = (0..130).map(|number| number << 57).collect();
        let count = u32::try_from(ids.len()).unwrap();
        let index = Index::new(Arc::new(Keyed::random(ID_BITS)), ids.clone(), ids, vec![([].into(), count)]);
        let bitmap = Bitmap::new(Arc::new(index));
        for ordinal in [0, 63, 64, 129] {
            for reading in READINGS {
                assert!(!bitmap.is_visited(ordinal, reading));
                assert!(bitmap.visit(ordinal, reading) && !bitmap.visit(ordinal, reading));
            }
            assert_eq!(bitmap.readings(ordinal).collect::<Vec<_>>(), READINGS);
        }
        assert!(bitmap.visit(1, Reading::Opaque) && bitmap.is_marked(1) && !bitmap.is_marked(2));
        assert_eq!(bitmap.len(), 5);
    }
}
