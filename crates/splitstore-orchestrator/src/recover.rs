//! What a crash left in `work/`: dropped, finished, or cleaned up, as each journal says.
//!
//! | journal | recovery |
//! |---|---|
//! | none, or not sealed | the folder is removed: nothing was deleted |
//! | sealed | the filter goes on before the first read; a [`crate::Run`] steps the same purge from its cursor, then commits |
//! | committed | the folder is removed |
//! | damaged, or its marks or candidates are | set aside if the run may be left ([`crate::quarantine`]), else an error that names the file; nothing is deleted on its strength |

use std::path::{Path, PathBuf};

use splitstore_ports::Event;

use crate::candidates::CandidateReader;
use crate::control::UnderWay;
use crate::error::{Error, Result};
use crate::filter::Leaving;
use crate::journal::{self, Journal, Resume, Standing};
use crate::marks_file;
use crate::quarantine;
use crate::run::{Purging, RUN, Work};
use crate::store::Inner;

/// What open found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing is left to do.
    Clean,
    /// The filter of a sealed run is on; [`unfinished`] has its purge to end.
    Sealed,
}

/// Tells what hot has lost, drops what nothing follows from, and puts the filter of a sealed run back before the first read.
///
/// It also makes the name of `work/` durable: a run's own folder is worth nothing if a power cut takes the one
/// around it.
pub(crate) fn recover(cx: &Inner) -> Result<Found> {
    for log in cx.tiers.damaged_logs() {
        cx.observer.on_event(&Event::LogDamaged { file: log.clone() });
    }
    cx.files.create_dir(&cx.work())?;
    cx.files.sync_dir(&cx.options.folder)?;
    let mut found = Found::Clean;
    for folder in folders(cx)? {
        match take_up(cx, &folder) {
            Ok(Found::Sealed) => found = Found::Sealed,
            Ok(Found::Clean) => {}
            Err(damage @ Error::DamagedFile { .. }) => quarantine::set_aside(cx, &folder, damage)?,
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Puts the filter of a sealed run back; drops one that has not sealed, or has ended.
fn take_up(cx: &Inner, folder: &Path) -> Result<Found> {
    let Standing::Sealed(resume) = journal::read(&*cx.files, folder)? else {
        cx.files.remove_dir(folder)?;
        return Ok(Found::Clean);
    };
    // The whole list is read before anything is deleted on its strength.
    let dropped = CandidateReader::open(&*cx.files, folder)?.check()?;
    let leaving = Leaving::of(cx.options.policy.cold(), dropped);
    let filter = marks_file::recover(cx, folder, resume.index, leaving)?;
    filter.install(&cx.protection)?;
    *cx.under_way.lock() = UnderWay::resumed(cx.clock.elapsed());
    cx.observer.on_event(&Event::Resumed);
    Ok(Found::Sealed)
}

/// The purge of a run whose filter is on, from its cursor on: of this process, or of the one before the last restart.
/// Of one that has committed only the filter and the folder may be left: both go.
pub(crate) fn unfinished(cx: &Inner) -> Result<Option<Purging>> {
    for folder in folders(cx)? {
        match journal::read(&*cx.files, &folder)? {
            Standing::Sealed(resume) => return go_on(cx, &folder, resume).map(Some),
            Standing::Committed => {
                cx.protection.end();
                cx.files.remove_dir(&folder)?;
            }
            Standing::Unsealed => {}
        }
    }
    Ok(None)
}

/// Whether no run has sealed, as far as the journals tell.
pub(crate) fn nothing_sealed(cx: &Inner) -> bool {
    let sealed = |folder: &PathBuf| !matches!(journal::read(&*cx.files, folder), Ok(Standing::Unsealed));
    folders(cx).is_ok_and(|folders| !folders.iter().any(sealed))
}

/// Removes what unsealed runs left, as far as that can be done; what stays is removed at the next open. The
/// run has failed for a reason that its caller reports: this one must not hide it.
pub(crate) fn drop_unsealed(cx: &Inner) {
    for folder in folders(cx).unwrap_or_default() {
        let _ = cx.files.remove_dir(&folder);
    }
}

fn go_on(cx: &Inner, folder: &Path, resume: Resume) -> Result<Purging> {
    // Marks from disk know nothing of what was put since: without the filter that has been on, nothing may be
    // deleted on their strength.
    let fault = "it was sealed, and its filter is off: open the store anew";
    let off = || Error::DamagedFile { path: folder.join(journal::NAME), fault };
    let filter = cx.protection.filter().ok_or_else(off)?;
    let journal = Journal::resume(&cx.files, folder, &resume.end)?;
    let work = Work { folder: folder.into(), journal, window: resume.window, index: resume.index };
    Purging::from_cursor(cx, work, filter, resume)
}

/// The folders of runs; what else lies in `work/` is none of ours.
fn folders(cx: &Inner) -> Result<Vec<PathBuf>> {
    let work = cx.work();
    let names = cx.files.list(&work)?.into_iter();
    Ok(names.filter(|name| name.starts_with(RUN)).map(|name| work.join(name)).collect())
}
