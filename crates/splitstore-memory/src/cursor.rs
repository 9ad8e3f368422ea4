//! A scan over the blocks of one moment.

use std::ops::Bound;
use std::sync::Arc;

use splitstore_domain::BlockKey;
use splitstore_ports::{BlockSnapshot, KeyCursor, KeyEntry, KeyRange, OnBlock, Result, ScannedBlock};

use crate::image::{Blocks, Entry};

/// Owns its moment, so writers go on.
pub(crate) struct Snapshot {
    blocks: Arc<Blocks>,
    last: Option<BlockKey>,
}

impl Snapshot {
    pub(crate) const fn of(blocks: Arc<Blocks>) -> Self {
        Self { blocks, last: None }
    }
}

impl KeyCursor for Snapshot {
    fn next_batch(&mut self, batch: &mut Vec<KeyEntry>, max: usize) -> Result<()> {
        let from = self.last.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let rest = self.blocks.range::<BlockKey, _>((from, Bound::Unbounded)).take(max);
        let had = batch.len();
        batch.extend(rest.map(|(key, entry)| KeyEntry {
            key: key.clone(),
            codec: entry.codec,
            size: entry.data.len() as u64,
        }));
        if let Some(entry) = batch.get(had..).and_then(<[_]>::last) {
            self.last = Some(entry.key.clone());
        }
        Ok(())
    }
}

/// The blocks of one moment, whole: in a list, so that a range begins after a search by halves.
pub(crate) struct Moment(Vec<(BlockKey, Entry)>);

impl Moment {
    pub(crate) fn of(blocks: &Blocks) -> Self {
        Self(blocks.iter().map(|(key, entry)| (key.clone(), entry.clone())).collect())
    }

    /// Where the first key at or above these bytes stands.
    fn place(&self, bytes: &[u8]) -> usize {
        self.0.partition_point(|(key, _)| key.as_bytes() < bytes)
    }
}

impl BlockSnapshot for Moment {
    fn estimated_len(&self) -> Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn ranges(&self, parts: usize) -> Result<Vec<KeyRange>> {
        let each = self.0.len().div_ceil(parts.max(1)).max(1);
        let mut ranges = Vec::new();
        let mut from = None;
        for (key, _) in self.0.iter().step_by(each).skip(1) {
            let to = key.as_bytes().to_vec();
            ranges.push(KeyRange { from: from.replace(to.clone()), to: Some(to) });
        }
        ranges.push(KeyRange { from, to: None });
        Ok(ranges)
    }

    fn scan(&self, range: &KeyRange, on_block: OnBlock<'_>) -> Result<()> {
        let from = range.from.as_deref().map_or(0, |bytes| self.place(bytes));
        let to = range.to.as_deref().map_or(self.0.len(), |bytes| self.place(bytes));
        for (key, Entry { codec, data }) in self.0.get(from..to).unwrap_or_default() {
            if on_block(&ScannedBlock { key, codec: *codec, data }).is_break() {
                break;
            }
        }
        Ok(())
    }
}
