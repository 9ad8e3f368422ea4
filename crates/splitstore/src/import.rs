//! An archive into a store.
//!
//! ```text
//!   check    read all of it, check every hash, note keys and headers     nothing is written
//!   chain    walk the headers: whole to genesis, the store's own?        nothing is written
//!   follow   read it again: is all there below its states and messages?  nothing is written
//!   space    has the disk room for it?                                   nothing is written
//!   write    read it again, write in batches                             harmless if it stops: repeat the import
//!   end      flush; the head moves                                       the store now stands on the new chain
//! ```
//! Reading it several times is cheap next to writing, and buys that an archive which is damaged, cut off or of another
//! chain leaves the store as it was. The last pass checks hashes again: the file may change in between.
//!
//! **What is decided before anything is written** (archive and store taken together): every header from the head to
//! genesis is there and the heights fall; and below each state and each list of messages of the archive's headers
//! that is there at its root, every DAG-CBOR block is there and readable. **What cannot be decided**: whether a part
//! that is absent at its root was cut off or never there (snapshots leave out old states and messages as a whole);
//! receipts, and leaves that are not DAG-CBOR, which snapshots may lack. Those a compaction tolerates, too.
//!
//! An archive whose roots are block headers moves the head to the heaviest tipset they form. One whose roots are
//! no headers is no chain: its blocks are taken in and the head stays. A mixture is refused.

mod error;
pub use error::{ChainFault, ImportError};
mod chain;
mod check;
mod headers;
mod keys;
mod links;
mod needs;
mod roots;
mod scratch;
mod space;
mod survey;
mod whole;
mod write;
pub(crate) use scratch::sweep;

use std::fmt;
use std::ops::ControlFlow;
use std::path::Path;

use cid::Cid;
use splitstore_domain::trigger::Decision;
use splitstore_domain::{HeadChange, Tipset};

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
    /// The store's head where it stayed, as it is higher than the archive's: an older archive brings blocks, and takes
    /// nothing out of the windows.
    pub stays: Option<Tipset>,
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
    /// States and messages of the chain are followed, nothing is written. There may be several of these.
    Follow,
    /// Blocks are written.
    Write,
}

impl fmt::Display for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Check => "checking",
            Self::Follow => "following",
            Self::Write => "writing",
        })
    }
}

/// Is shown the progress, and says whether to go on.
pub type Show<'a> = dyn FnMut(&Progress) -> ControlFlow<()> + 'a;

/// What becomes of an archive whose chain begins at another genesis than the store's own, or ends below the store's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OtherChain {
    /// Another genesis is refused: most likely it is of another network. Of an older chain the blocks are taken in, and the
    /// head stays.
    #[default]
    Refuse,
    /// The head moves to it, also back; what of the store's own chain is not below it is then no longer live.
    Replace,
}

/// Imports the archive at `path` into the hot tier and moves the head to its root tipset, if its chain is whole
/// and begins at the store's own genesis.
pub fn import_car(folder: &StoreFolder, path: &Path, show: &mut Show<'_>) -> Result<Imported, ImportError> {
    import_car_with(folder, path, OtherChain::Refuse, show)
}

/// The same, with a choice of what becomes of another chain.
pub fn import_car_with(
    folder: &StoreFolder,
    path: &Path,
    other: OtherChain,
    show: &mut Show<'_>,
) -> Result<Imported, ImportError> {
    let survey = survey::run(folder, path, show)?;
    if let Some(head) = &survey.checked.head {
        whole::check(folder, path, &survey, head, other)?;
        links::check(folder, path, &survey, show)?;
    }
    // Its sets and lists are gone before the blocks come.
    let checked = survey.checked;
    let imported = take_in(folder, path, checked, show)?;
    let Some(head) = imported.head.clone() else { return Ok(imported) };
    let store = |source| ImportError::Store { path: path.to_owned(), source };
    let higher = folder.head().map_err(store)?.filter(|own| own.height > head.height);
    if other == OtherChain::Refuse && higher.is_some() {
        return Ok(Imported { stays: higher, ..imported });
    }
    let decision = move_head(folder, head).map_err(store)?;
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
    show: &mut Show<'_>,
) -> Result<Imported, ImportError> {
    let checked = check::run(folder, path, &mut |_| Ok(()), show)?;
    take_in(folder, path, checked, show)
}

/// Writes the blocks of a checked archive.
fn take_in(
    folder: &StoreFolder,
    path: &Path,
    checked: check::Checked,
    show: &mut Show<'_>,
) -> Result<Imported, ImportError> {
    space::check(folder, path, &checked)?;
    let written = write::run(folder, path, &checked, show)?;
    let flushed = folder.store().flush();
    flushed.map_err(|source| ImportError::Store { path: path.to_owned(), source })?;
    let check::Checked { blocks, bytes, roots, head } = checked;
    let write::Written { already_there, not_stored } = written;
    Ok(Imported { blocks, bytes, already_there, not_stored, roots, head, stays: None, decision: None })
}
