//! Losses that a repair has written down and told nobody: it was killed behind the exchange, and so perhaps was the one after it.
//!
//! ```text
//!   hot.damaged-1    note: gaps 0, lost a0e4..           the old tier under its second name  \  the same losses
//!   hot.damaged-2    note: gaps 0, lost a0e4..           and as it was exchanged             /
//!   hot.damaged-3    note: gaps 0, lost 1220.., told     of an earlier repair
//!   hot.damaged-4    note: gaps 1                        of one that was killed before it copied, and had found its log damaged
//!   hot.damaged-5    note                                likewise, with a sound log: of no use
//! ```
//! They are told by each repair until somebody has said so ([`Repaired::told`]).

use std::fs;
use std::path::{Path, PathBuf};

use super::aside::Aside;
use super::note::{self, Losses, Note};
use super::{Repaired, named};
use crate::folder::error::{FolderError, Result};

/// What is left to tell, and where it stands.
#[derive(Default)]
pub(super) struct Untold {
    folders: Vec<PathBuf>,
    losses: Vec<Losses>,
}

impl Untold {
    /// What the notes beside hot say.
    pub(super) fn beside(hot: &Path) -> Result<Self> {
        let parent = hot.parent().unwrap_or(hot);
        let list = |source| FolderError::Io { action: "list", path: parent.to_owned(), source };
        let kept = named(hot, ".damaged-").into_os_string();
        let mut untold = Self::default();
        for entry in fs::read_dir(parent).map_err(list)? {
            let path = entry.map_err(list)?.path();
            if path.as_os_str().as_encoded_bytes().starts_with(kept.as_encoded_bytes()) {
                untold.add(path, hot)?;
            }
        }
        Ok(untold)
    }

    fn add(&mut self, path: PathBuf, hot: &Path) -> Result<()> {
        // Nothing that is linked to.
        if !fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_dir()) {
            return Ok(());
        }
        match note::read(&path, hot).map_err(FolderError::io("look at", &path))? {
            Some(Note::Untold(losses)) => {
                self.folders.push(path);
                if !self.losses.contains(&losses) {
                    self.losses.push(losses);
                }
            }
            Some(Note::New) => Aside::of(hot, path).drop_if_useless(),
            Some(Note::Told) | None => {}
        }
        Ok(())
    }

    /// Adds them to what came of another repair.
    pub(super) fn add_to(&self, repaired: &mut Repaired) {
        for Losses { lost, gaps } in &self.losses {
            repaired.gaps += gaps;
            repaired.lost.extend(lost.iter().cloned());
        }
        repaired.lost.sort_unstable();
        repaired.lost.dedup();
    }

    /// Where they stand.
    pub(super) fn folders(&self) -> &[PathBuf] {
        &self.folders
    }
}
