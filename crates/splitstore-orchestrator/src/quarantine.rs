//! A run whose files are damaged is set aside, if nothing that the store holds depends on finishing it.
//!
//! ```text
//!   damaged     what still tells that it may be left                          then
//!   journal     no file of marks: it is on disk before a journal says Sealed  work/damaged-<n>-<run>
//!   journal     the list of candidates: all of them moved to cold             the same
//!   marks       the journal: nothing was dropped                              the same
//!   candidates  the journal: nothing was dropped                              the same
//!   else        -                                                             the error stands, open fails
//! ```
//! A block that moved was durable in cold before the run sealed, so a half purge leaves nobody without children. One
//! that was dropped is nowhere: only the same purge, ended, makes the store whole again. What the run did is read from
//! its own files and not from today's policy, which may be another.

use std::path::{Path, PathBuf};

use splitstore_ports::Event;

use crate::candidates::CandidateReader;
use crate::error::{Error, Result};
use crate::journal::{self, Standing};
use crate::marks_file;
use crate::store::Inner;

/// What the names of folders that were set aside begin with.
const ASIDE: &str = "damaged-";

/// Sets the run in `folder` aside, durably, or gives the damage back.
pub(crate) fn set_aside(cx: &Inner, folder: &Path, damage: Error) -> Result<()> {
    if !may_be_left(cx, folder)? {
        return Err(damage);
    }
    let aside = free_name(cx, folder)?;
    cx.files.rename(folder, &aside)?;
    cx.files.sync_dir(&cx.work())?;
    cx.observer.on_event(&Event::SetAside { folder: aside, reason: damage.to_string() });
    Ok(())
}

/// Whether a purge that is never finished leaves every block with what is below it.
fn may_be_left(cx: &Inner, folder: &Path) -> Result<bool> {
    match journal::read(&*cx.files, folder) {
        Ok(Standing::Sealed(resume)) => Ok(resume.dropped == Some(0)),
        Ok(Standing::Unsealed | Standing::Committed) => Ok(true),
        Err(Error::DamagedFile { .. }) => {
            Ok(cx.files.open(&folder.join(marks_file::NAME))?.is_none() || drops_nothing(cx, folder)?)
        }
        Err(error) => Err(error),
    }
}

/// Whether the list of candidates is sound, and all of them moved.
fn drops_nothing(cx: &Inner, folder: &Path) -> Result<bool> {
    match CandidateReader::open(&*cx.files, folder).and_then(CandidateReader::check) {
        Ok(dropped) => Ok(dropped == 0),
        Err(Error::DamagedFile { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A name that no run before this one was set aside under.
fn free_name(cx: &Inner, folder: &Path) -> Result<PathBuf> {
    let work = cx.work();
    let taken = cx.files.list(&work)?;
    let run = folder.file_name().unwrap_or_default().to_string_lossy();
    let mut names = (1_u64..).map(|number| format!("{ASIDE}{number}-{run}"));
    let free = names.find(|name| !taken.contains(name)).expect("fewer folders than numbers");
    Ok(work.join(free))
}
