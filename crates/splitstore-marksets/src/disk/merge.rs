//! Several sorted sources as one: each fingerprint once, with all its readings.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use splitstore_ports::Result;

use super::record::Record;
use crate::readings::Readings;

/// A source of records that ascend, each fingerprint once.
pub(super) type Records = Box<dyn Iterator<Item = Result<Record>>>;

/// The merge under way. Readings are or-ed, so it does not matter which source is the newer.
pub(super) struct Merge {
    sources: Vec<Records>,
    /// The next fingerprint of each source that has one, with its readings.
    heads: BinaryHeap<Reverse<(u128, usize, u8)>>,
}

impl Merge {
    pub(super) fn new(sources: Vec<Records>) -> Result<Self> {
        let mut merge = Self { heads: BinaryHeap::with_capacity(sources.len()), sources };
        (0..merge.sources.len()).try_for_each(|source| merge.advance(source))?;
        Ok(merge)
    }

    fn advance(&mut self, source: usize) -> Result<()> {
        if let Some(record) = self.sources.get_mut(source).and_then(Iterator::next) {
            let record = record?;
            self.heads.push(Reverse((record.fingerprint(), source, record.readings.bits())));
        }
        Ok(())
    }

    fn step(&mut self) -> Result<Option<Record>> {
        let Some(Reverse((fingerprint, source, bits))) = self.heads.pop() else { return Ok(None) };
        self.advance(source)?;
        let mut readings = Readings::from_bits(bits);
        while let Some(&Reverse((next, source, bits))) = self.heads.peek()
            && next == fingerprint
        {
            self.heads.pop();
            self.advance(source)?;
            readings = readings.with(Readings::from_bits(bits));
        }
        Ok(Some(Record::new(fingerprint, readings)))
    }
}

impl Iterator for Merge {
    type Item = Result<Record>;

    /// After an error the rest means nothing.
    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}
