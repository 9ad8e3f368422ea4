//! A folder of TSM files, opened for work: nobody else works on it meanwhile.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use segment_compaction::{
    Compactor, GroupLock, Observer, OsFiles, Planner, PlannerSettings, SegmentFolder, SegmentFormat,
    SystemClock, Throttle, Tools,
};
use tsm::name::{FileName, Width};
use tsm::{IndexSeal, TsmFormat, TsmOptions};

use crate::{clock, paths};

/// An open folder.
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    pub(crate) compactor: Compactor<TsmFormat>,
    pub(crate) planner: Planner,
    pub(crate) lock: GroupLock,
    pub(crate) throttle: Throttle,
    /// Held until the end.
    _exclusive: File,
}

/// What is going to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing is touched.
    Look,
    /// What an interrupted run left is removed first.
    Change,
}

/// How to open it.
pub(crate) struct Opening {
    pub(crate) access: Access,
    pub(crate) points_per_block: usize,
    pub(crate) rate: u64,
    pub(crate) seal: IndexSeal,
    pub(crate) observer: Arc<dyn Observer>,
}

impl Folder {
    pub(crate) fn open(path: &Path, opening: Opening) -> Result<Self> {
        let exclusive = exclusive(path)?;
        let planner = Planner::new(PlannerSettings::default())?;
        let options = TsmOptions {
            width: width(path),
            points_per_block: opening.points_per_block,
            seal: opening.seal,
            ..TsmOptions::default()
        };
        let format = Arc::new(TsmFormat::new(options));
        let files = Arc::new(OsFiles);
        let folder = match opening.access {
            Access::Look => SegmentFolder::look(files, path, format.naming()),
            Access::Change => {
                let (folder, removed) = SegmentFolder::open(files, path, format.naming())?;
                for name in removed {
                    eprintln!("removed {name}: left over from a run that was interrupted");
                }
                folder
            }
        };
        let clock = Arc::new(SystemClock::new());
        let throttle = Throttle::new(opening.rate, opening.rate, clock.clone());
        let tools = Tools { clock, observer: opening.observer, throttle: throttle.clone() };
        let bytes_max = planner.settings().segment_bytes_max;
        let compactor = Compactor::new(format, folder, tools, bytes_max);
        Ok(Self {
            path: path.into(),
            compactor,
            planner,
            lock: GroupLock::new(),
            throttle,
            _exclusive: exclusive,
        })
    }

    /// How long nothing was written: the age of the newest file.
    pub(crate) fn idle(&self) -> Result<Duration> {
        let mut newest = None;
        for file in paths::tsm_files(&[self.path.to_string_lossy().into_owned()])? {
            let changed = file.metadata().and_then(|metadata| metadata.modified());
            newest = newest.max(Some(changed.with_context(|| format!("look at {}", file.display()))?));
        }
        // A file from the future was written just now.
        let age = newest.map(|newest| clock::now().duration_since(newest).unwrap_or_default());
        Ok(age.unwrap_or_default())
    }
}

/// A lock on the folder itself: no file of ours is left in it.
pub(crate) fn exclusive(path: &Path) -> Result<File> {
    let folder = File::open(path).with_context(|| format!("open {}", path.display()))?;
    if !folder.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        bail!("{} is not a folder", path.display());
    }
    match folder.try_lock() {
        Ok(()) => Ok(folder),
        Err(TryLockError::WouldBlock) => bail!("another `tsm` works on {}", path.display()),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("lock {}", path.display())),
    }
}

/// New files are named as the newest one is.
fn width(path: &Path) -> Width {
    let files = paths::tsm_files(&[path.to_string_lossy().into_owned()]).unwrap_or_default();
    let named = files.iter().rfind(|file| FileName::parse(file).is_ok());
    named.map(Width::of).unwrap_or_default()
}
