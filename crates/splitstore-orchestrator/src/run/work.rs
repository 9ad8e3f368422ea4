//! The folder of one run, and what every phase needs of it.

use std::path::PathBuf;

use splitstore_domain::Window;

use crate::error::Result;
use crate::journal::Journal;
use crate::store::Inner;

/// What the names of runs' folders begin with.
pub(crate) const RUN: &str = "compaction-";

/// A run's folder with its journal.
pub(crate) struct Work {
    pub(crate) folder: PathBuf,
    pub(crate) journal: Journal,
    pub(crate) window: Window,
    pub(crate) index: u64,
}

impl Work {
    /// An empty folder for the run that will have `index`.
    pub(crate) fn create(cx: &Inner, window: Window, index: u64) -> Result<Self> {
        let folder = cx.work().join(format!("{RUN}{index}"));
        cx.files.remove_dir(&folder)?;
        cx.files.create_dir(&folder)?;
        cx.files.sync_dir(&cx.work())?;
        let journal = Journal::create(&cx.files, &folder, window, index)?;
        Ok(Self { folder, journal, window, index })
    }

    /// Ends a run that deleted nothing.
    pub(crate) fn drop_run(self, cx: &Inner) -> Result<()> {
        cx.protection.end();
        cx.files.remove_dir(&self.folder)?;
        Ok(())
    }
}
