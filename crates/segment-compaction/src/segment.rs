//! A segment where it lies: its name, its file and what lies beside it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::ReadAt;
use crate::files::FileSystem;
use crate::generation::SegmentId;
use crate::naming::sidecar_name;

/// A segment in a folder, committed or (while it is verified) under a temporary name.
#[derive(Clone)]
pub struct Segment {
    /// Its place in the order of writes.
    pub id: SegmentId,
    folder: Arc<Path>,
    name: String,
    files: Arc<dyn FileSystem>,
}

impl Segment {
    /// The segment `id` under `name` in a folder.
    pub fn new(id: SegmentId, folder: Arc<Path>, name: String, files: Arc<dyn FileSystem>) -> Self {
        Self { id, folder, name, files }
    }

    /// The name of its file, as it is on disk.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The path of its file.
    pub fn path(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    /// The path of a sidecar, there or not.
    pub fn sidecar_path(&self, extension: &str) -> PathBuf {
        self.folder.join(sidecar_name(&self.name, extension))
    }

    /// The file system that it lies in.
    pub fn files(&self) -> &Arc<dyn FileSystem> {
        &self.files
    }

    /// Its file; `NotFound` if it is gone.
    pub fn open(&self) -> io::Result<Box<dyn ReadAt>> {
        self.files.open(&self.path())?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// A sidecar's file, if there is one.
    pub fn open_sidecar(&self, extension: &str) -> io::Result<Option<Box<dyn ReadAt>>> {
        self.files.open(&self.sidecar_path(extension))
    }
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path().display())
    }
}
