//! The numbers that outlive a run: base epoch, index, size of the last mark set.

use std::sync::Arc;

use splitstore_domain::Epoch;
use splitstore_ports::{ErrorKind, MetaCell, MetaStore, PortError, Result};

/// Typed access to the meta store.
pub(crate) struct Ledger {
    meta: Arc<dyn MetaStore>,
}

impl Ledger {
    pub(crate) fn new(meta: Arc<dyn MetaStore>) -> Self {
        Self { meta }
    }

    /// Where the last compaction cut.
    pub(crate) fn base(&self) -> Result<Option<Epoch>> {
        Ok(self.number(MetaCell::BaseEpoch)?.map(Epoch::new))
    }

    /// The base; a store that has none yet takes `head`, which is then its snapshot, too.
    pub(crate) fn base_or_set(&self, head: Epoch) -> Result<Epoch> {
        if let Some(base) = self.base()? {
            return Ok(base);
        }
        let mut first = vec![height(MetaCell::BaseEpoch, head)];
        if self.snapshot()?.is_none() {
            first.push(height(MetaCell::SnapshotHeight, head));
        }
        self.meta.set_many(&first)?;
        Ok(head)
    }

    /// The height up to which blocks came with a snapshot, and may lack whole parts.
    pub(crate) fn snapshot(&self) -> Result<Option<Epoch>> {
        Ok(self.number(MetaCell::SnapshotHeight)?.map(Epoch::new))
    }

    /// Notes a snapshot that is being taken in. A chain that is shorter than the base begins anew.
    pub(crate) fn set_snapshot(&self, head: Epoch) -> Result<()> {
        let mut cells = vec![height(MetaCell::SnapshotHeight, head)];
        if self.base()?.is_some_and(|base| base > head) {
            cells.push(height(MetaCell::BaseEpoch, head));
        }
        self.meta.set_many(&cells)
    }

    /// Finished compactions.
    pub(crate) fn index(&self) -> Result<u64> {
        Ok(self.number(MetaCell::CompactionIndex)?.unwrap_or(0))
    }

    /// Keys that the last run marked.
    pub(crate) fn marked(&self) -> Result<u64> {
        Ok(self.number(MetaCell::MarkSetSize)?.unwrap_or(0))
    }

    /// Notes a finished run, all in one: repeating it changes nothing.
    pub(crate) fn commit(&self, base: Epoch, index: u64, marked: u64) -> Result<()> {
        let cell = |cell, value: u64| (cell, value.to_le_bytes().to_vec());
        self.meta.set_many(&[
            cell(MetaCell::BaseEpoch, base.height()),
            cell(MetaCell::CompactionIndex, index),
            cell(MetaCell::MarkSetSize, marked),
        ])
    }

    /// A cell as it is.
    pub(crate) fn get(&self, cell: MetaCell) -> Result<Option<Vec<u8>>> {
        self.meta.get(cell)
    }

    /// Sets a cell, durably.
    pub(crate) fn set(&self, cell: MetaCell, value: Vec<u8>) -> Result<()> {
        self.meta.set_many(&[(cell, value)])
    }

    fn number(&self, cell: MetaCell) -> Result<Option<u64>> {
        let Some(value) = self.meta.get(cell)? else { return Ok(None) };
        let bytes = value.as_slice().try_into();
        let damaged = |source| PortError::new(ErrorKind::Corrupt, format!("read {}", cell.name()), source);
        bytes.map(|bytes| Some(u64::from_le_bytes(bytes))).map_err(damaged)
    }
}

fn height(cell: MetaCell, epoch: Epoch) -> (MetaCell, Vec<u8>) {
    (cell, epoch.height().to_le_bytes().to_vec())
}
