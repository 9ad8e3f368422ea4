//! A folder for what an import notes while it checks: below `work/`, gone when the import ends.
//!
//! ```text
//!   <store>/work/import-<n>/    runs of the key sets, runs of the header list
//! ```
//! Nothing in it outlives the process. What a crash leaves is swept at the next open.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::folder::WORK;

const PREFIX: &str = "import-";

/// Two imports of one process may run side by side.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The folder of one import.
pub(super) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes it in the store at `store`.
    pub(super) fn new(store: &Path) -> io::Result<Self> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = store.join(WORK).join(format!("{PREFIX}{number}"));
        fs::create_dir_all(&path)?;
        Ok(Self { path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Best effort: what stays is swept at the next open.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes what imports left that were killed. The caller holds the store's lock.
pub(crate) fn sweep(store: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(store.join(WORK)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_import_left_is_swept_and_nothing_else() {
        let store = tempfile::tempdir().unwrap();
        sweep(store.path()).unwrap();
        std::mem::forget(Scratch::new(store.path()).unwrap());
        drop(Scratch::new(store.path()).unwrap());
        fs::create_dir(store.path().join("work/compaction-7")).unwrap();
        assert_eq!(fs::read_dir(store.path().join("work")).unwrap().count(), 2);
        sweep(store.path()).unwrap();
        let left = fs::read_dir(store.path().join("work")).unwrap();
        assert_eq!(left.map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>(), ["compaction-7"]);
    }
}
