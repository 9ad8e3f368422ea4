//! What a crash left in `work/`: dropped, finished, or cleaned up, as each journal says.
//!
//! | journal | recovery |
//! |---|---|
//! | none, or not sealed | the folder is removed: nothing was deleted |
//! | sealed | the filter goes on before the first read; the same purge goes on from its cursor, then commit |
//! | committed | the folder is removed |
//! | damaged | an error that names the file; nothing is deleted on its strength |

use std::path::{Path, PathBuf};

use splitstore_domain::{Phase, PhaseReport};
use splitstore_ports::Event;

use crate::candidates::CandidateReader;
use crate::error::Result;
use crate::journal::{self, Journal, Resume, Standing};
use crate::marks_file;
use crate::run::{Advance, Purging, Work, commit_purged};
use crate::store::Inner;

/// What open found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing is left to do.
    Clean,
    /// The filter of a sealed run is on; [`finish_sealed`] has its purge to end.
    Sealed,
}

/// Drops what nothing follows from, and puts the filter of a sealed run back before the first read.
///
/// It also makes the name of `work/` durable: a run's own folder is worth nothing if a power cut takes the one
/// around it.
pub(crate) fn recover(cx: &Inner) -> Result<Found> {
    cx.files.create_dir(&cx.work())?;
    cx.files.sync_dir(&cx.options.folder)?;
    let mut found = Found::Clean;
    for folder in folders(cx)? {
        if let Standing::Sealed(_) = journal::read(&*cx.files, &folder)? {
            // The whole list is read before anything is deleted on its strength.
            CandidateReader::open(&*cx.files, &folder)?.check()?;
            let filter = marks_file::recover(cx, &folder)?;
            filter.install(&cx.protection)?;
            cx.observer.on_event(&Event::Resumed);
            found = Found::Sealed;
        } else {
            cx.files.remove_dir(&folder)?;
        }
    }
    Ok(found)
}

/// Finishes a run whose filter is on: of this process, or of the one before the last restart.
pub(crate) fn finish_sealed(cx: &Inner) -> Result<()> {
    for folder in folders(cx)? {
        if let Standing::Sealed(resume) = journal::read(&*cx.files, &folder)? {
            finish(cx, &folder, resume)?;
        }
    }
    Ok(())
}

fn finish(cx: &Inner, folder: &Path, resume: Resume) -> Result<()> {
    let filter = match cx.protection.filter() {
        Some(filter) => filter,
        None => marks_file::recover(cx, folder)?,
    };
    let journal = Journal::resume(&*cx.files, folder, &resume.end)?;
    let work = Work { folder: folder.into(), journal, window: resume.window, index: resume.index };
    let at = (resume.marked, resume.cursor);
    let mut purging = Purging::from_cursor(cx, work, filter, at)?;
    let mut meter = PhaseReport::default();
    loop {
        cx.conductor.wait_to_go_on(Phase::Purge);
        cx.conductor.check(Phase::Purge)?;
        match purging.step(cx, &mut meter)? {
            Advance::More(more) | Advance::Wait(more, _) => purging = more,
            Advance::Done(purged) => return commit_purged(cx, purged, &mut meter).map(|_| ()),
        }
    }
}

fn folders(cx: &Inner) -> Result<Vec<PathBuf>> {
    let work = cx.work();
    Ok(cx.files.list(&work)?.into_iter().map(|name| work.join(name)).collect())
}
