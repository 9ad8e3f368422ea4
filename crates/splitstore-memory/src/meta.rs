//! The meta cells in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;
use splitstore_ports::{MetaCell, MetaStore, Result};

use crate::Fuse;

/// Cells in memory, durable as soon as they are set. Clones are handles on the same cells.
#[derive(Debug, Clone, Default)]
pub struct MemoryMeta {
    cells: Arc<RwLock<BTreeMap<MetaCell, Vec<u8>>>>,
    fuse: Fuse,
}

impl MemoryMeta {
    /// No cell is set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Other cells with the values of these, which go their own way.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self { cells: Arc::new(RwLock::new(self.cells.read().clone())), fuse: Fuse::new() }
    }

    /// The same cells; those set through this handle are refused when `fuse` is burnt.
    pub fn fused(self, fuse: Fuse) -> Self {
        Self { fuse, ..self }
    }
}

impl MetaStore for MemoryMeta {
    fn get(&self, cell: MetaCell) -> Result<Option<Vec<u8>>> {
        Ok(self.cells.read().get(&cell).cloned())
    }

    fn set_many(&self, values: &[(MetaCell, Vec<u8>)]) -> Result<()> {
        self.fuse.spend("set_many")?;
        self.cells.write().extend(values.iter().cloned());
        Ok(())
    }
}
