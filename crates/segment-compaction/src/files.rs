//! The file system, as far as compaction needs it: a port, so that every crash can be played.

use std::io::{self, Read, Seek, Write};
use std::path::Path;

use crate::ReadAt;

/// Files of one folder of segments.
///
/// **Contract.** As POSIX. `remove` of what is not there is no error; opening what is not there is `Ok(None)`.
/// A file that is open stays readable when its name is removed or replaced.
/// **Durability.** A file's data is durable after its `sync`; its name (created, renamed, removed) after
/// `sync_dir` of its folder. Before that a crash may lose either, or keep either without the other.
/// **Concurrency.** Calls may come from many threads.
/// **Errors.** `io::ErrorKind` tells apart at least `StorageFull`, `PermissionDenied` and `AlreadyExists`.
/// **Who calls it.** The compactor for outputs and installs, formats for inputs and what lies beside them.
pub trait FileSystem: Send + Sync {
    /// A new empty file; `AlreadyExists` if the name is taken.
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn FileWrite>>;

    /// The file, for reading anywhere in it.
    fn open(&self, path: &Path) -> io::Result<Option<Box<dyn ReadAt>>>;

    /// A new file that is gone with its handle, also after a crash. `path` says where it may lie meanwhile.
    fn scratch(&self, path: &Path) -> io::Result<Box<dyn Scratch>>;

    /// Moves a file, replacing its target at once.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file's name.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// The files of a folder, sorted by name; none if it is not there.
    fn list(&self, folder: &Path) -> io::Result<Vec<FileEntry>>;

    /// Makes the names in a folder durable.
    fn sync_dir(&self, folder: &Path) -> io::Result<()>;

    /// Free bytes on the disk that holds `folder`; `None` where that cannot be told.
    fn free_space(&self, folder: &Path) -> io::Result<Option<u64>>;
}

/// One file of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// A file being written.
pub trait FileWrite: Write + Send {
    /// Makes all data written so far durable.
    fn sync(&mut self) -> io::Result<()>;
}

/// A nameless file: written, then read back.
pub trait Scratch: Read + Write + Seek + Send {}

impl<T: Read + Write + Seek + Send> Scratch for T {}
