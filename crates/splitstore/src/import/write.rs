//! Pass 2: the blocks of a checked archive, in batches, into hot.

use std::path::Path;

use splitstore_car::CarBlock;
use splitstore_domain::ObjectKind;
use splitstore_ports::{Block, BlockRead, BlockWrite};

use super::check::{Checked, PROGRESS_EVERY, open, progress_of};
use super::error::ImportError;
use super::{Pass, Progress};
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
    progress: &mut dyn FnMut(&Progress),
) -> Result<Written, ImportError> {
    let changed = || ImportError::Changed { path: path.to_owned() };
    let mut reader = open(path)?;
    if reader.roots() != checked.roots {
        return Err(changed());
    }
    let mut batch = Batch::default();
    let (mut blocks, mut written) = (0, Written::default());
    while let Some(block) = reader.next_block().map_err(|_| changed())? {
        blocks += 1;
        batch.push(block);
        if batch.is_full() {
            batch.write(folder, path, &mut written)?;
        }
        if blocks % PROGRESS_EVERY == 0 {
            progress(&progress_of(&reader, Pass::Write, blocks));
        }
    }
    batch.write(folder, path, &mut written)?;
    progress(&progress_of(&reader, Pass::Write, blocks));
    if blocks == checked.blocks { Ok(written) } else { Err(changed()) }
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
