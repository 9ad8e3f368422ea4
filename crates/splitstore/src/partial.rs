//! A file in the making: under a temporary name beside its target until it is whole and synced.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Removed when dropped, unless it was published.
pub(crate) struct Partial {
    path: PathBuf,
    target: PathBuf,
}

impl Partial {
    /// Reserves the name `.<name>.<process>.partial` beside `target`.
    pub(crate) fn beside(target: &Path) -> io::Result<Self> {
        let name = target.file_name().filter(|_| !target.is_dir());
        let name = name.ok_or_else(|| io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"))?;
        let name = format!(".{}.{}.partial", name.to_string_lossy(), std::process::id());
        let path = target.with_file_name(name);
        // Not one that is there: it may be another export's, and `drop` would remove it.
        File::options().write(true).create_new(true).open(&path)?;
        Ok(Self { path, target: target.to_owned() })
    }

    /// Where to write.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file, which must be closed or flushed, its name, durably; replaces what has it.
    pub(crate) fn publish(self, file: &File) -> io::Result<()> {
        file.sync_all()?;
        fs::rename(&self.path, &self.target)?;
        let folder = self.target.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // After `publish` nothing of that name is left; what cannot be removed says by its name what it is.
        let _ = fs::remove_file(&self.path);
    }
}
