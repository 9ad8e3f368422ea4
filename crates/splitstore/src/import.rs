//! An archive into a store.
//!
//! ```text
//!   pass 1   read all of it, check every hash, find the head     nothing is written
//!   pass 2   read it again, write in batches                     harmless if it stops: repeat the import
//!   end      flush, roots are there, the chain is whole          every header down to genesis, the store's own
//!            head moves                                          the store now stands on the new chain
//! ```
//! Reading twice is cheap next to writing, and buys that a damaged archive leaves the store as it was. Pass 2
//! checks hashes again: the file may change between the two.
//!
//! An archive whose roots are block headers moves the head to the heaviest tipset they form. One whose roots are
//! no headers is no chain: its blocks are taken in and the head stays. A mixture is refused.

mod error;
pub use error::{ChainFault, ImportError};
mod check;
mod header_order;
mod roots;
mod whole;
mod write;

use std::path::Path;

use cid::Cid;
use splitstore_domain::trigger::Decision;
use splitstore_domain::{HeadChange, Tipset};
use splitstore_ports::BlockRead;

use crate::folder::StoreFolder;

/// What was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Blocks read.
    pub blocks: u64,
    /// Bytes of their data.
    pub bytes: u64,
    /// Those of them that the store held already when their batch was written.
    pub already_there: u64,
    /// Those that no store holds: their data lies in their CID.
    pub not_stored: u64,
    /// What the archive names as its roots.
    pub roots: Vec<Cid>,
    /// The heaviest tipset of the roots; `None` if they are no headers, and the archive is no chain.
    pub head: Option<Tipset>,
    /// What the store made of the new head, if it was moved.
    pub decision: Option<Decision>,
}

/// How far an import got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub pass: Pass,
    /// Blocks so far in this pass.
    pub blocks: u64,
    /// Bytes of the file so far in this pass, compressed where it is compressed.
    pub file_bytes: u64,
    /// Length of the file in bytes.
    pub file_bytes_total: u64,
}

/// The passes over the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// Hashes are checked, nothing is written.
    Check,
    /// Blocks are written.
    Write,
}

/// What becomes of an archive whose chain begins at another genesis than the store's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OtherChain {
    /// It is refused: most likely it is of another network.
    #[default]
    Refuse,
    /// The head moves to it; the store's own chain is then no longer live.
    Replace,
}

/// Imports the archive at `path` into the hot tier and moves the head to its root tipset, if its chain is whole
/// and begins at the store's own genesis.
pub fn import_car(
    folder: &StoreFolder,
    path: &Path,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Imported, ImportError> {
    import_car_with(folder, path, OtherChain::Refuse, progress)
}

/// The same, with a choice of what becomes of another chain.
pub fn import_car_with(
    folder: &StoreFolder,
    path: &Path,
    other: OtherChain,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Imported, ImportError> {
    let imported = import_blocks(folder, path, progress)?;
    let Some(head) = imported.head.clone() else { return Ok(imported) };
    whole::check(folder, path, &head, other)?;
    let moved = move_head(folder, head);
    let decision = moved.map_err(|source| ImportError::Store { path: path.to_owned(), source })?;
    Ok(Imported { decision, ..imported })
}

fn move_head(folder: &StoreFolder, head: Tipset) -> crate::Result<Option<Decision>> {
    // An archive may lack old states and messages as a whole; they are not missing.
    folder.store().note_snapshot(head.height)?;
    folder.head_change(&HeadChange { apply: vec![head], ..HeadChange::default() })
}

/// Imports the archive at `path` into the hot tier, durably, and leaves the head where it is: for a caller that
/// moves it. Whether the chain is whole is not looked at.
pub fn import_blocks(
    folder: &StoreFolder,
    path: &Path,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Imported, ImportError> {
    let checked = check::run(folder, path, progress)?;
    let written = write::run(folder, path, &checked, progress)?;
    let flushed = folder.store().flush();
    flushed.map_err(|source| ImportError::Store { path: path.to_owned(), source })?;
    let check::Checked { blocks, bytes, roots, head } = checked;
    for root in &roots {
        if !folder.store().has(root).map_err(ImportError::port(path))? {
            return Err(ImportError::MissingRoot { path: path.to_owned(), root: *root });
        }
    }
    let write::Written { already_there, not_stored } = written;
    Ok(Imported { blocks, bytes, already_there, not_stored, roots, head, decision: None })
}
