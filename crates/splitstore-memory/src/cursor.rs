//! A scan over the blocks of one moment.

use std::ops::Bound;
use std::sync::Arc;

use splitstore_domain::BlockKey;
use splitstore_ports::{KeyCursor, KeyEntry, Result};

use crate::image::Blocks;

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
