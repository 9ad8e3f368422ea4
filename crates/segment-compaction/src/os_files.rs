//! The files of this machine.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use crate::ReadAt;
use crate::files::{FileEntry, FileSystem, FileWrite, Scratch};

/// The files of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsFiles;

impl FileSystem for OsFiles {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn FileWrite>> {
        Ok(Box::new(File::create_new(path)?))
    }

    fn open(&self, path: &Path) -> io::Result<Option<Box<dyn ReadAt>>> {
        match File::open(path) {
            Ok(file) => Ok(Some(Box::new(file))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// On Unix the name goes at once. Elsewhere an open file cannot lose its name: the next open of the folder
    /// removes what is left, for its name ends as that of anything temporary.
    fn scratch(&self, path: &Path) -> io::Result<Box<dyn Scratch>> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        if cfg!(unix) {
            fs::remove_file(path)?;
        }
        Ok(Box::new(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<FileEntry>> {
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry?;
            // A name that is no text is not ours. Links are followed, as whoever opens one does.
            let Ok(name) = entry.file_name().into_string() else { continue };
            match fs::metadata(entry.path()) {
                Ok(metadata) if metadata.is_file() => files.push(FileEntry { name, bytes: metadata.len() }),
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(files)
    }

    /// On Windows a folder cannot be opened as a file; there the names are as durable as NTFS makes them.
    fn sync_dir(&self, folder: &Path) -> io::Result<()> {
        if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
    }

    fn free_space(&self, folder: &Path) -> io::Result<Option<u64>> {
        fs4::available_space(folder).map(Some)
    }
}

impl FileWrite for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}
