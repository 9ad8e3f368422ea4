//! The last pass: the blocks of a checked archive, in batches, into hot.

use std::path::Path;

use splitstore_car::CarBlock;
use splitstore_domain::ObjectKind;
use splitstore_ports::{Block, BlockRead, BlockWrite};

use super::check::{Checked, Pace, reopen};
use super::error::ImportError;
use super::{Pass, Show};
use crate::folder::StoreFolder;

/// A batch is written when it holds this many blocks ..
const BATCH_BLOCKS: usize = 4096;
/// .. or this many bytes of data; one block may exceed it.
const BATCH_BYTES: usize = 4 << 20;

/// What became of the blocks that were read.
#[derive(Default)]
pub(super) struct Written {
    pub(super) already_there: u64,
    pub(super) not_stored: u64,
}

/// Writes all blocks and counts those that were there before.
///
/// Those too are written: an import mends what is damaged in hot, and brings back what had gone cold.
pub(super) fn run(
    folder: &StoreFolder,
    path: &Path,
    checked: &Checked,
    show: &mut Show<'_>,
) -> Result<Written, ImportError> {
    let mut reader = reopen(path, checked)?;
    let mut pace = Pace::new(Pass::Write);
    let (mut batch, mut written) = (Batch::default(), Written::default());
    while let Some(block) = reader.next_block().map_err(|_| ImportError::changed(path))? {
        batch.push(block);
        if batch.is_full() {
            batch.write(folder, path, &mut written)?;
        }
        pace.block(path, &reader, show)?;
    }
    batch.write(folder, path, &mut written)?;
    pace.show(path, &reader, show)?;
    if pace.blocks == checked.blocks { Ok(written) } else { Err(ImportError::changed(path)) }
}

#[derive(Default)]
struct Batch {
    blocks: Vec<CarBlock>,
    bytes: usize,
}

impl Batch {
    fn push(&mut self, block: CarBlock) {
        self.bytes += block.data.len();
        self.blocks.push(block);
    }

    fn is_full(&self) -> bool {
        self.blocks.len() >= BATCH_BLOCKS || self.bytes >= BATCH_BYTES
    }

    /// Writes what is gathered.
    fn write(&mut self, folder: &StoreFolder, path: &Path, written: &mut Written) -> Result<(), ImportError> {
        let store = folder.store();
        // Untracked: to count is not to rely on them.
        let view = store.untracked();
        for block in &self.blocks {
            if !ObjectKind::of(&block.cid).is_stored() {
                written.not_stored += 1;
            } else if view.has(&block.cid).map_err(ImportError::port(path))? {
                written.already_there += 1;
            }
        }
        let blocks: Vec<Block<'_>> =
            self.blocks.iter().map(|block| Block { cid: block.cid, data: &block.data }).collect();
        store.put_many(&blocks).map_err(ImportError::port(path))?;
        self.blocks.clear();
        self.bytes = 0;
        Ok(())
    }
}
