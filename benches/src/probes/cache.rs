//! The page cache: filled with the files of a store, or emptied of them, and whether that came true.
//!
//! Emptied is by advice (`posix_fadvise`, `DONTNEED`) on each file, after a sync: pages that are dirty would stay. It needs no
//! privilege and leaves everybody else's pages alone. Advice may be ignored, so what came from the disk is counted.

use std::fs::File;
use std::path::Path;

use anyhow::{Result, ensure};

use super::files;
use crate::compose::hot_path;
use crate::process;

/// What the page cache holds of a store when the clock starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cache {
    /// All of it.
    Warm,
    /// Nothing.
    Cold,
}

/// Bytes that came from the disk since it was made.
pub(crate) struct FromDisk {
    before: u64,
}

impl Cache {
    /// Sees to it, for all files of a store that marking may read.
    pub(crate) fn prepare(self, store: &Path) -> Result<FromDisk> {
        for folder in [hot_path(store), store.join("links")] {
            match self {
                Self::Warm => files::read_all(&folder).map(drop)?,
                Self::Cold => files::each(&folder, drop_pages)?,
            }
        }
        Ok(FromDisk { before: process::disk_read()? })
    }

    /// Fails if what was to come from the disk did not, or the other way round: of `size` bytes, half decides.
    pub(crate) fn check(self, from_disk: u64, size: u64) -> Result<()> {
        let most = from_disk * 2 > size;
        ensure!(most == (self == Self::Cold), "{from_disk} of {size} bytes came from the disk: not {self:?}");
        Ok(())
    }
}

impl FromDisk {
    /// How many so far.
    pub(crate) fn bytes(&self) -> Result<u64> {
        Ok(process::disk_read()?.saturating_sub(self.before))
    }
}

#[cfg(target_os = "linux")]
fn drop_pages(path: &Path) -> Result<()> {
    let file = File::open(path)?;
    file.sync_all()?;
    Ok(rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?)
}

#[cfg(not(target_os = "linux"))]
fn drop_pages(path: &Path) -> Result<()> {
    anyhow::bail!("the page cache cannot be emptied of {} on this system", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cold_is_what_came_from_the_disk_and_warm_what_did_not() {
        Cache::Cold.check(90, 100).unwrap();
        Cache::Warm.check(10, 100).unwrap();
        assert!(Cache::Cold.check(10, 100).is_err());
        let error = Cache::Warm.check(90, 100).unwrap_err().to_string();
        assert_eq!(error, "90 of 100 bytes came from the disk: not Warm");
    }
}
