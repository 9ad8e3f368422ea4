//! What a crash left in `work/`: dropped, finished, or cleaned up, as each journal says.
//!
//! | journal | recovery |
//! |---|---|
//! | none, or not sealed | the folder is removed: nothing was deleted |
//! | sealed | the same purge goes on from its cursor, then commit |
//! | committed | the folder is removed |
//! | damaged | an error that names the file; nothing is deleted on its strength |

use std::path::{Path, PathBuf};

use splitstore_domain::PhaseReport;
use splitstore_ports::Event;

use crate::candidates::CandidateReader;
use crate::error::Result;
use crate::journal::{self, Journal, Resume, Standing};
use crate::marks_file;
use crate::run::{Advance, Marks, Purging, Work, commit_purged};
use crate::store::Inner;

/// Recovers every run that is left, before the store serves its first read.
///
/// It also makes the name of `work/` durable: a run's own folder is worth nothing if a power cut takes the one
/// around it.
pub(crate) fn recover(cx: &Inner) -> Result<()> {
    cx.files.create_dir(&cx.work())?;
    cx.files.sync_dir(&cx.options.folder)?;
    for folder in folders(cx)? {
        match journal::read(&*cx.files, &folder)? {
            Standing::Sealed(resume) => finish(cx, &folder, resume)?,
            Standing::Unsealed | Standing::Committed => cx.files.remove_dir(&folder)?,
        }
    }
    Ok(())
}

/// Finishes a run that failed after its seal in this process, before another may begin.
pub(crate) fn finish_sealed(cx: &Inner) -> Result<()> {
    for folder in folders(cx)? {
        if let Standing::Sealed(resume) = journal::read(&*cx.files, &folder)? {
            finish(cx, &folder, resume)?;
        }
    }
    Ok(())
}

fn finish(cx: &Inner, folder: &Path, resume: Resume) -> Result<()> {
    cx.observer.on_event(&Event::Resumed);
    CandidateReader::open(&*cx.files, folder)?.check()?;
    let marks = marks_file::recover(cx, folder)?;
    let journal = Journal::resume(&*cx.files, folder, &resume.end)?;
    let work = Work { folder: folder.into(), journal, window: resume.window, index: resume.index };
    let at = (resume.marked, resume.cursor);
    let mut purging = Purging::from_cursor(cx, work, Marks::Recovered(marks), at)?;
    let mut meter = PhaseReport::default();
    loop {
        match purging.step(cx, &mut meter)? {
            Advance::More(more) => purging = more,
            Advance::Done(purged) => return commit_purged(cx, purged, &mut meter).map(|_| ()),
        }
    }
}

fn folders(cx: &Inner) -> Result<Vec<PathBuf>> {
    let work = cx.work();
    Ok(cx.files.list(&work)?.into_iter().map(|name| work.join(name)).collect())
}
