//! A new file, whole or not there at all.
//!
//! ```text
//!   cold.redb.new-<pid>-<n>   created, table made, committed, closed, synced
//!   cold.redb                 linked to it (never over an existing file), folder synced
//!   cold.redb.new-<pid>-<n>   name removed, folder synced
//! ```
//! A kill leaves at most a temporary name, which the next open removes. Two that create at once: the second link
//! finds the first's file, and the open that follows finds it locked.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use redb::backends::FileBackend;
use redb::{Database, ReadableDatabase};

use crate::fault::{Fault, calmly};
use crate::file::Table;

/// What follows the file's name in the names of unfinished files.
const UNFINISHED: &str = ".new-";

/// Small: only an empty table is made.
const CACHE: usize = 1024 * 1024;

/// Removes what killed creations left behind.
pub(crate) fn remove_unfinished(path: &Path) -> io::Result<()> {
    let prefix = unfinished_prefix(path);
    for entry in fs::read_dir(folder(path))? {
        let entry = entry?;
        let ours = entry.file_name().as_encoded_bytes().starts_with(prefix.as_encoded_bytes());
        if ours && entry.file_type()?.is_file() {
            remove_if_there(&entry.path())?;
        }
    }
    Ok(())
}

/// Makes an empty file with `table` at `path`; a file that is there by then stays as it is.
pub(crate) fn create(path: &Path, table: Table) -> Result<(), Fault> {
    let unfinished = unfinished_name(path);
    let made = make(&unfinished, table).and_then(|()| publish(&unfinished, path).map_err(io_fault));
    let removed = remove_if_there(&unfinished).and_then(|()| sync_folder(path)).map_err(io_fault);
    made.and(removed)
}

fn make(path: &Path, table: Table) -> Result<(), Fault> {
    let file = private_file(path).map_err(io_fault)?;
    let again = file.try_clone().map_err(io_fault)?;
    calmly(|| {
        let mut builder = Database::builder();
        let database = builder.set_cache_size(CACHE).create_with_backend(FileBackend::new(file)?)?;
        let mut transaction = database.begin_write()?;
        transaction.set_quick_repair(true);
        transaction.open_table(table)?;
        transaction.commit()?;
        drop(database.begin_read()?.open_table(table)?);
        Ok(())
    })?;
    again.sync_all().map_err(io_fault)
}

/// Gives the file its name without ever replacing another.
fn publish(unfinished: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(unfinished, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        // A file system without hard links: there the store's own lock has to keep others away.
        Err(_) if !path.exists() => fs::rename(unfinished, path)?,
        linked => linked?,
    }
    sync_folder(path)
}

#[cfg(unix)]
fn private_file(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).open(path)
}

/// Makes the names in the file's folder durable; elsewhere than on Unix a folder cannot be synced.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder(path))?.sync_all() } else { Ok(()) }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

fn unfinished_prefix(path: &Path) -> OsString {
    let mut name = path.file_name().unwrap_or(OsStr::new("")).to_owned();
    name.push(UNFINISHED);
    name
}

fn unfinished_name(path: &Path) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut name = unfinished_prefix(path);
    name.push(format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    folder(path).join(name)
}

fn io_fault(source: io::Error) -> Fault {
    Fault::Redb(redb::Error::Io(source))
}
