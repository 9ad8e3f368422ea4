//! One process, one handle per store: an exclusive lock on a file that names its holder.
//!
//! The operating system holds the lock and drops it when the process dies, however that happens: a lock file
//! left behind locks nothing and needs no cleaning up. It is never removed, for a second process might be about
//! to lock the very file that is going.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
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
    /// once, without waiting.
    pub fn acquire(path: &Path) -> Result<Self> {
        let attempt = || format!("lock {}", path.display());
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file =
            private_file(&mut options).open(path).map_err(|error| PortError::io(attempt(), error))?;
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
