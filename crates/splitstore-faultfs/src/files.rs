//! Our own files: written at once, with a ledger of what a power cut may still take back.
//!
//! Nothing is synced for real, as a kill spares the page cache: a sync is a line in the ledger. What is removed is
//! moved beside the ledger, so that it can come back.
//!
//! A rename counts as durable at once: only the making of a store renames.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use splitstore_files::OsFiles;
use splitstore_ports::domain::ByteCount;
use splitstore_ports::{FileSystem, FileWrite, PortError, Result};

use crate::ledger::{Fact, Ledger};

/// The local file system, with a ledger of what is not durable yet.
#[derive(Debug, Clone)]
pub struct LedgerFiles {
    os: OsFiles,
    ledger: Arc<Mutex<Ledger>>,
}

impl LedgerFiles {
    /// Files with a new ledger at `ledger`, outside of all folders that are written to. What is on disk now
    /// counts as durable.
    pub fn new(ledger: &Path) -> Result<Self> {
        let made = Ledger::new(ledger).map_err(about("make ledger", ledger))?;
        Ok(Self { os: OsFiles::new(), ledger: Arc::new(Mutex::new(made)) })
    }

    fn note(&self, fact: Fact, path: &Path) -> Result<()> {
        self.ledger.lock().note(fact, path).map_err(about("note in the ledger", path))
    }

    fn take_away(&self, path: &Path) -> Result<()> {
        self.ledger.lock().remove(path).map_err(about("remove", path))
    }

    fn open_file(&self, path: &Path, file: Box<dyn FileWrite>, len: u64) -> Box<dyn FileWrite> {
        Box::new(OpenFile { file, path: path.to_owned(), len, ledger: self.ledger.clone() })
    }
}

impl FileSystem for LedgerFiles {
    fn create(&self, path: &Path) -> Result<Box<dyn FileWrite>> {
        match length(path) {
            // Its name stays, its data is gone at once.
            Some(_) => self.note(Fact::Durable(0), path)?,
            None => self.note(Fact::NewFile, path)?,
        }
        Ok(self.open_file(path, self.os.create(path)?, 0))
    }

    fn append(&self, path: &Path) -> Result<Box<dyn FileWrite>> {
        let len = length(path);
        match len {
            Some(len) => self.note(Fact::Found(len), path)?,
            None => self.note(Fact::NewFile, path)?,
        }
        Ok(self.open_file(path, self.os.append(path)?, len.unwrap_or(0)))
    }

    fn open(&self, path: &Path) -> Result<Option<Box<dyn Read + Send>>> {
        self.os.open(path)
    }

    fn truncate(&self, path: &Path, len: u64) -> Result<()> {
        self.os.truncate(path, len)?;
        self.note(Fact::Durable(len), path)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.os.rename(from, to)
    }

    fn remove(&self, path: &Path) -> Result<()> {
        match fs::symlink_metadata(path) {
            Ok(found) if found.is_file() => self.take_away(path),
            _ => self.os.remove(path),
        }
    }

    fn create_dir(&self, path: &Path) -> Result<()> {
        for missing in path.ancestors().take_while(|path| !path.exists()) {
            self.note(Fact::NewFolder, missing)?;
        }
        self.os.create_dir(path)
    }

    fn remove_dir(&self, path: &Path) -> Result<()> {
        match fs::symlink_metadata(path) {
            Ok(found) if found.is_dir() => self.take_away(path),
            _ => self.os.remove_dir(path),
        }
    }

    fn list(&self, path: &Path) -> Result<Vec<String>> {
        self.os.list(path)
    }

    fn sync_dir(&self, path: &Path) -> Result<()> {
        if !path.is_dir() {
            return self.os.sync_dir(path);
        }
        self.ledger.lock().sync_names(path).map_err(about("sync folder", path))
    }

    fn free_space(&self, path: &Path) -> Result<Option<ByteCount>> {
        self.os.free_space(path)
    }
}

/// A file being written.
struct OpenFile {
    file: Box<dyn FileWrite>,
    path: PathBuf,
    len: u64,
    ledger: Arc<Mutex<Ledger>>,
}

impl Write for OpenFile {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.file.write(data)?;
        self.len += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl FileWrite for OpenFile {
    fn sync(&mut self) -> Result<()> {
        let noted = self.ledger.lock().note(Fact::Durable(self.len), &self.path);
        noted.map_err(about("sync", &self.path))
    }
}

fn length(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|found| found.len())
}

fn about<'a>(act: &'a str, path: &'a Path) -> impl Fn(io::Error) -> PortError + 'a {
    move |error| PortError::io(format!("{act} {}", path.display()), error)
}
