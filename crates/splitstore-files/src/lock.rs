//! One process, one handle per store: an exclusive lock on a file that names its holder.
//!
//! The operating system holds the lock and drops it when the process dies, however that happens: a lock file
//! left behind locks nothing and needs no cleaning up. It is never removed, for a second process might be about
//! to lock the very file that is going.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use splitstore_ports::{ErrorKind, PortError, Result};

use crate::os::private_file;

/// Most bytes of a lock file that are taken for a pid.
const PID_BYTES: u64 = 20;

/// An exclusive lock, held until it is dropped.
#[derive(Debug)]
pub struct StoreLock {
    file: File,
    path: PathBuf,
}

impl StoreLock {
    /// Locks the file at `path`, which is made if it is not there, and writes this process' pid into it.
    ///
    /// `Locked`, with the path and the pid of the holder, if another process or another handle holds it: at
    /// once, without waiting. `Unsupported` if what is there is no regular file, or a symbolic link: nothing is
    /// written then.
    pub fn acquire(path: &Path) -> Result<Self> {
        let attempt = || format!("lock {}", path.display());
        let mut file = open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(locked(path, &mut file)),
            Err(TryLockError::Error(error)) => return Err(PortError::io(attempt(), error)),
        }
        sign(&mut file).map_err(|error| PortError::io(attempt(), error))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// The lock file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for StoreLock {
    fn drop(&mut self) {
        // Closing the file unlocks it in any case; this only says so.
        drop(self.file.unlock());
    }
}

/// Opens the file, or makes it; never what a link leads to.
///
/// The look before opening keeps away from pipes, which would be waited for. The one after it finds what was
/// put there in between: nothing has been written by then.
fn open(path: &Path) -> Result<File> {
    let failed = |error| PortError::io(format!("lock {}", path.display()), error);
    if let Some(made) = make(path).map_err(failed)? {
        return Ok(made);
    }
    refuse_irregular(path, &fs::symlink_metadata(path).map_err(failed)?)?;
    let file = OpenOptions::new().read(true).write(true).open(path).map_err(failed)?;
    let named = fs::symlink_metadata(path).map_err(failed)?;
    refuse_irregular(path, &named)?;
    if is_same(&file.metadata().map_err(failed)?, &named) {
        return Ok(file);
    }
    Err(refused(path, "it was replaced by another file while it was opened: try again"))
}

/// A new file; `None` if there is something, be it a link that leads nowhere.
fn make(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    match private_file(&mut options).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        // A folder that may not be written to can hold a lock file that may.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && path.exists() => Ok(None),
        Err(error) => Err(error),
    }
}

fn refuse_irregular(path: &Path, found: &Metadata) -> Result<()> {
    if found.is_symlink() {
        return Err(refused(path, "it is a symbolic link, which is not followed: remove it"));
    }
    if !found.is_file() {
        return Err(refused(path, "it is no regular file: remove it"));
    }
    Ok(())
}

fn refused(path: &Path, why: &str) -> PortError {
    PortError::new(ErrorKind::Unsupported, format!("lock {}", path.display()), why)
}

#[cfg(unix)]
fn is_same(opened: &Metadata, named: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (opened.dev(), opened.ino()) == (named.dev(), named.ino())
}

/// Elsewhere the standard library cannot tell two files apart, and to make a link takes rights of its own.
#[cfg(not(unix))]
fn is_same(_opened: &Metadata, _named: &Metadata) -> bool {
    true
}

/// The pid is for people: it is not what locks.
fn sign(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn locked(path: &Path, file: &mut File) -> PortError {
    let mut holder = String::new();
    // Where locks are mandatory the file cannot be read; then the holder stays unnamed.
    let read = file.take(PID_BYTES).read_to_string(&mut holder);
    let holder = match (read, holder.trim().parse::<u32>()) {
        (Ok(_), Ok(pid)) => format!("held by process {pid}"),
        _ => "held by an unnamed process".to_owned(),
    };
    PortError::new(ErrorKind::Locked, format!("lock {}", path.display()), holder)
}
