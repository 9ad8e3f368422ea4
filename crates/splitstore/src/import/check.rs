//! Pass 1: is the archive whole, and where does its chain stand?

use std::fs;
use std::path::Path;

use cid::Cid;
use splitstore_car::{CarBlock, CarReader};
use splitstore_domain::Tipset;

use super::error::ImportError;
use super::header_order::{HeaderOrder, Inverted};
use super::roots::Roots;
use super::{Pass, Progress};
use crate::folder::StoreFolder;

/// An archive that was read to its end.
pub(super) struct Checked {
    pub(super) blocks: u64,
    pub(super) bytes: u64,
    pub(super) roots: Vec<Cid>,
    pub(super) head: Option<Tipset>,
}

/// Blocks between two reports of progress.
pub(super) const PROGRESS_EVERY: u64 = 1024;

/// Reads all of the archive, writes nothing.
pub(super) fn run(
    folder: &StoreFolder,
    path: &Path,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Checked, ImportError> {
    let mut reader = open(path)?;
    let mut roots = Roots::new(reader.roots(), folder.store().untracked());
    let mut order = HeaderOrder::default();
    let (mut blocks, mut bytes) = (0, 0);
    while let Some(block) = reader.next_block().map_err(ImportError::archive(path))? {
        roots.look(&block.cid, &block.data);
        order.look(&block.cid, &block.data).map_err(|found| cyclic(path, &block, &found))?;
        blocks += 1;
        bytes += block.data.len() as u64;
        if blocks % PROGRESS_EVERY == 0 {
            progress(&progress_of(&reader, Pass::Check, blocks));
        }
    }
    progress(&progress_of(&reader, Pass::Check, blocks));
    let head = roots.head(path)?;
    Ok(Checked { blocks, bytes, roots: reader.roots().to_vec(), head })
}

/// Opens the archive, which must be a file that can be read twice.
pub(super) fn open(path: &Path) -> Result<CarReader, ImportError> {
    let found = fs::metadata(path).map_err(|source| ImportError::Open { path: path.to_owned(), source })?;
    if !found.is_file() {
        return Err(ImportError::NotAFile { path: path.to_owned() });
    }
    CarReader::open(path).map_err(ImportError::archive(path))
}

pub(super) fn progress_of(reader: &CarReader, pass: Pass, blocks: u64) -> Progress {
    let file_bytes = reader.bytes_read();
    Progress { pass, blocks, file_bytes, file_bytes_total: reader.total_bytes().unwrap_or(file_bytes) }
}

fn cyclic(path: &Path, block: &CarBlock, found: &Inverted) -> ImportError {
    let (child, child_height) = found.child;
    let (parent, parent_height) = found.parent;
    ImportError::Cyclic {
        path: path.to_owned(),
        offset: block.offset,
        child: Box::new(child),
        child_height,
        parent: Box::new(parent),
        parent_height,
    }
}
