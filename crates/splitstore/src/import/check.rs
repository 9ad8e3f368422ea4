//! Pass 1: is the archive whole as a file, and where does its chain stand?

use std::fs;
use std::path::Path;

use cid::Cid;
use splitstore_car::{CarBlock, CarReader};
use splitstore_domain::Tipset;

use super::error::ImportError;
use super::roots::Roots;
use super::{Pass, Progress, Show};
use crate::folder::StoreFolder;

/// An archive that was read to its end.
pub(super) struct Checked {
    pub(super) blocks: u64,
    pub(super) bytes: u64,
    pub(super) roots: Vec<Cid>,
    pub(super) head: Option<Tipset>,
}

/// Blocks between two reports of progress.
const PROGRESS_EVERY: u64 = 1024;

/// Reads all of the archive and shows each block to `note`; writes nothing to the store.
pub(super) fn run(
    folder: &StoreFolder,
    path: &Path,
    note: &mut dyn FnMut(&CarBlock) -> Result<(), ImportError>,
    show: &mut Show<'_>,
) -> Result<Checked, ImportError> {
    let mut reader = open(path)?;
    let mut roots = Roots::new(reader.roots(), folder.store().untracked());
    let mut pace = Pace::new(Pass::Check);
    let (mut bytes, mut last) = (0, 0);
    while let Some(block) = reader.next_block().map_err(ImportError::archive(path))? {
        roots.look(&block.cid, &block.data);
        note(&block)?;
        bytes += block.data.len() as u64;
        last = block.offset;
        pace.block(path, &reader, show)?;
    }
    pace.show(path, &reader, show)?;
    let head = roots.head(path, last)?;
    Ok(Checked { blocks: pace.blocks, bytes, roots: reader.roots().to_vec(), head })
}

/// Opens the archive, which must be a file that can be read again.
pub(super) fn open(path: &Path) -> Result<CarReader, ImportError> {
    let found = fs::metadata(path).map_err(|source| ImportError::Open { path: path.to_owned(), source })?;
    if !found.is_file() {
        return Err(ImportError::NotAFile { path: path.to_owned() });
    }
    CarReader::open(path).map_err(ImportError::archive(path))
}

/// Opens it for another pass: it must still be the one that was checked.
pub(super) fn reopen(path: &Path, checked: &Checked) -> Result<CarReader, ImportError> {
    let reader = open(path)?;
    if reader.roots() == checked.roots { Ok(reader) } else { Err(ImportError::changed(path)) }
}

/// Counts the blocks of a pass, and shows now and then how far it is.
pub(super) struct Pace {
    pass: Pass,
    pub(super) blocks: u64,
}

impl Pace {
    pub(super) fn new(pass: Pass) -> Self {
        Self { pass, blocks: 0 }
    }

    /// One more block was read.
    pub(super) fn block(
        &mut self,
        path: &Path,
        reader: &CarReader,
        show: &mut Show<'_>,
    ) -> Result<(), ImportError> {
        self.blocks += 1;
        if self.blocks.is_multiple_of(PROGRESS_EVERY) { self.show(path, reader, show) } else { Ok(()) }
    }

    /// Shows where the pass is; an error if whoever looks has had enough.
    pub(super) fn show(
        &self,
        path: &Path,
        reader: &CarReader,
        show: &mut Show<'_>,
    ) -> Result<(), ImportError> {
        let file_bytes = reader.bytes_read();
        let file_bytes_total = reader.total_bytes().unwrap_or(file_bytes);
        let progress = Progress { pass: self.pass, blocks: self.blocks, file_bytes, file_bytes_total };
        if show(&progress).is_continue() {
            return Ok(());
        }
        Err(ImportError::Interrupted { path: path.to_owned(), pass: self.pass })
    }
}
