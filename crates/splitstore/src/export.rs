//! A chain out of a store, as one `CARv1`.
//!
//! The file has its name when it is whole and synced; an export that fails or is killed leaves no half of one.

use std::fs;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use splitstore_car::{CarError, CarWriter};
use splitstore_domain::{Epoch, Tipset, TipsetKey};
use splitstore_ports::{ChainAccessor, ErrorKind, PortError};
use thiserror::Error;

use crate::folder::{LostHead, StoreFolder};
use crate::partial::Partial;
use crate::{Error, Exported};

/// What to export.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExportPlan {
    /// The tipset to begin at; the head if none is given.
    pub tipset: Option<TipsetKey>,
    /// Lowest height whose messages, receipts and state are written. Headers are, down to genesis.
    pub down_to: Epoch,
}

/// An archive that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainExport {
    /// The tipset it begins at; its headers are the roots.
    pub tipset: Tipset,
    /// Blocks, their bytes, and references that nothing held.
    pub exported: Exported,
    /// Length of the file in bytes.
    pub file_bytes: u64,
}

/// Why an export failed; no file was left.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportError {
    /// There is nothing to begin at.
    #[error("the store at {} has no head: import a chain first, or name a tipset", path.display())]
    NoHead {
        /// The store's folder.
        path: PathBuf,
    },
    /// There was something to begin at.
    #[error("the store at {}: nothing to begin at", path.display())]
    LostHead {
        /// The store's folder.
        path: PathBuf,
        /// What became of it.
        source: LostHead,
    },
    /// The tipset is not in the store.
    #[error("tipset {key} not found in the store at {}", path.display())]
    NoTipset {
        /// The store's folder.
        path: PathBuf,
        /// What was asked for.
        key: TipsetKey,
    },
    /// What was named are blocks that form no tipset.
    #[error("the store at {} holds no tipset {key}: name the headers of one", path.display())]
    NotATipset {
        /// The store's folder.
        path: PathBuf,
        /// What was asked for.
        key: TipsetKey,
        /// Why they form none.
        source: PortError,
    },
    /// The file would lie among the store's own.
    #[error("{} lies inside the store at {}: write the archive elsewhere", path.display(), store.display())]
    InsideStore {
        /// The file that was to be.
        path: PathBuf,
        /// The store's folder.
        store: PathBuf,
    },
    /// The chain could not be read.
    #[error("export a chain to {}", path.display())]
    Store {
        /// The file that was to be.
        path: PathBuf,
        /// Why.
        source: Error,
    },
    /// The file could not be written.
    #[error("write archive {}", path.display())]
    File {
        /// The file that was to be.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The archive could not be written.
    #[error("write archive {}", path.display())]
    Archive {
        /// The file that was to be.
        path: PathBuf,
        /// Why.
        source: CarError,
    },
}

/// Writes a chain to `path`, which must lie outside the store; replaces a regular file, refuses anything else
/// that is there. Calls `progress` with the blocks written so far, now and
/// then.
pub fn export_car(
    folder: &StoreFolder,
    plan: &ExportPlan,
    path: &Path,
    progress: &mut dyn FnMut(u64),
) -> Result<ChainExport, ExportError> {
    refuse_inside(folder, path)?;
    let tipset = begin_at(folder, plan, path)?;
    let file = |source| ExportError::File { path: path.to_owned(), source };
    let archive = |source| ExportError::Archive { path: path.to_owned(), source };
    let store = |source| ExportError::Store { path: path.to_owned(), source };
    let (partial, made) = Partial::beside(path).map_err(file)?;
    let mut car = CarWriter::new(BufWriter::new(made), tipset.key.cids()).map_err(archive)?;
    let mut blocks = 0;
    let exported = folder.store().export(&tipset.key, plan.down_to, &mut |cid, data| {
        car.write_block(cid, data).map_err(unwritten)?;
        blocks += 1;
        if blocks % PROGRESS_EVERY == 0 {
            progress(blocks);
        }
        Ok(())
    });
    let exported = exported.map_err(store)?;
    let file_bytes = car.bytes_written();
    let buffered = car.finish().map_err(archive)?;
    let written = buffered.into_inner().map_err(|error| file(error.into_error()))?;
    partial.publish(&written).map_err(file)?;
    Ok(ChainExport { tipset, exported, file_bytes })
}

const PROGRESS_EVERY: u64 = 1000;

/// Refuses a file in the store's folder, or in one of its tiers', which may lie on other disks.
fn refuse_inside(folder: &StoreFolder, path: &Path) -> Result<(), ExportError> {
    let file = |source| ExportError::File { path: path.to_owned(), source };
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let above = fs::canonicalize(above).map_err(file)?;
    for part in folder.folders() {
        if above.starts_with(fs::canonicalize(part).map_err(file)?) {
            return Err(ExportError::InsideStore { path: path.to_owned(), store: folder.path().to_owned() });
        }
    }
    Ok(())
}

fn begin_at(folder: &StoreFolder, plan: &ExportPlan, path: &Path) -> Result<Tipset, ExportError> {
    let store = |source: PortError| ExportError::Store { path: path.to_owned(), source: source.into() };
    let at = || folder.path().to_owned();
    match &plan.tipset {
        None => folder.chain().heaviest().map_err(store)?.ok_or_else(|| match folder.lost_head() {
            Some(lost) => ExportError::LostHead { path: at(), source: lost.clone() },
            None => ExportError::NoHead { path: at() },
        }),
        Some(key) => {
            if let Some(twice) =
                key.cids().iter().enumerate().find(|(at, cid)| key.cids()[..*at].contains(cid))
            {
                let fault = format!("form a tipset that names header {} twice", twice.1);
                let source = PortError::bare(ErrorKind::Corrupt, fault);
                return Err(ExportError::NotATipset { path: at(), key: key.clone(), source });
            }
            let found = folder.chain().tipset(key).map_err(|source| match source.kind() {
                ErrorKind::Corrupt => ExportError::NotATipset { path: at(), key: key.clone(), source },
                _ => store(source),
            })?;
            found.ok_or_else(|| ExportError::NoTipset { path: at(), key: key.clone() })
        }
    }
}

/// The archive's error as the one that the walk passes on.
fn unwritten(error: CarError) -> PortError {
    match error {
        CarError::Io { at, source } => PortError::io(format!("write {at}"), source),
        error => PortError::new(ErrorKind::Unsupported, "write a block", error),
    }
}
