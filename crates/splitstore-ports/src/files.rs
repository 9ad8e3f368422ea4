//! The file system, as far as our own files need it: a port, so that crashes can be played.

use std::io::{Read, Write};
use std::path::Path;

use splitstore_domain::ByteCount;

use crate::Result;

/// Files and folders.
///
/// **Contract.** As POSIX: `rename` replaces its target at once. Removing what is not there is no error.
/// **Durability.** A file's data is durable after its `sync`; its name (created, renamed, removed) after
/// `sync_dir` of its folder. Before that a crash may lose either, or keep either without the other.
/// **Errors.** `Full`, `Unavailable`; reading a file that is not there is `Ok(None)`.
/// **Who calls it.** Journal, candidates, sealed marks, the store's own folder.
pub trait FileSystem: Send + Sync {
    /// A new empty file, replacing what was there.
    fn create(&self, path: &Path) -> Result<Box<dyn FileWrite>>;

    /// The file, writing from its end on; created if it is not there.
    fn append(&self, path: &Path) -> Result<Box<dyn FileWrite>>;

    /// The file, reading from its start.
    fn open(&self, path: &Path) -> Result<Option<Box<dyn Read + Send>>>;

    /// Cuts the file to `len` bytes, durably: for a journal's torn tail.
    fn truncate(&self, path: &Path, len: u64) -> Result<()>;

    /// Moves a file or folder.
    fn rename(&self, from: &Path, to: &Path) -> Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> Result<()>;

    /// Makes a folder and those above it.
    fn create_dir(&self, path: &Path) -> Result<()>;

    /// Removes a folder with all it holds.
    fn remove_dir(&self, path: &Path) -> Result<()>;

    /// The names in a folder, sorted; none if it is not there.
    fn list(&self, path: &Path) -> Result<Vec<String>>;

    /// Makes the names in a folder durable.
    fn sync_dir(&self, path: &Path) -> Result<()>;

    /// Free bytes on the disk that holds `path`; `None` where that cannot be told.
    fn free_space(&self, path: &Path) -> Result<Option<ByteCount>>;
}

/// A file being written.
pub trait FileWrite: Write + Send {
    /// Makes all data written so far durable.
    fn sync(&mut self) -> Result<()>;
}
