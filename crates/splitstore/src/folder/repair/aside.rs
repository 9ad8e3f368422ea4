//! The old hot tier, put aside before anything opens it.
//!
//! ```text
//!   hot                000017.sst  000018.log  MANIFEST-000014 ..        whoever opens it may delete what it does not find named
//!   hot.damaged-1        = same     = same      = same                   other names of the same files: no room, and nothing is copied
//! ```
//! An engine that finds its list of tables or its log cut takes that for the end of what was written, and removes the rest of the
//! files. They are still here then.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use splitstore_files::OsFiles;
use splitstore_ports::FileSystem;
use splitstore_rocksdb::cut_files;

use super::named;
use super::note::{self, Losses};
use crate::folder::error::{FolderError, Result};

/// Old hot tiers that are told apart.
const MOST_KEPT: u32 = 10_000;

/// A hot tier under a second name.
pub(super) struct Aside {
    hot: PathBuf,
    pub(super) path: PathBuf,
    /// Those of its files that are cut: whoever opens hot drops what stood behind.
    pub(super) cut: Vec<PathBuf>,
}

impl Aside {
    /// Gives each file of hot a second name, and writes down which of them are cut before anybody opens it. Errors: a file system that
    /// cannot.
    pub(super) fn put(hot: &Path) -> Result<Self> {
        let mut aside = Self::of(hot, free_name(hot));
        fs::create_dir(&aside.path).map_err(FolderError::io("make", &aside.path))?;
        match aside.fill() {
            Ok(()) => Ok(aside),
            Err(error) => Err(aside.give_up(error)),
        }
    }

    /// One that an earlier repair has put.
    pub(super) fn of(hot: &Path, path: PathBuf) -> Self {
        Self { hot: hot.to_owned(), path, cut: Vec::new() }
    }

    fn fill(&mut self) -> Result<()> {
        let noted = FolderError::io("write a note into", &self.path);
        note::begin(&self.path, &self.hot).map_err(noted)?;
        self.link_all()?;
        self.cut = cut_files(&self.path).map_err(FolderError::port(&self.path))?;
        if !self.cut.is_empty() {
            let losses = Losses { lost: Vec::new(), gaps: self.cut.len() as u64 };
            let noted = FolderError::io("write a note into", &self.path);
            note::end(&self.path, &self.hot, &losses).map_err(noted)?;
        }
        Ok(())
    }

    fn link_all(&self) -> Result<()> {
        let list = |error| FolderError::Io { action: "list", path: self.hot.clone(), source: error };
        for entry in fs::read_dir(&self.hot).map_err(list)? {
            let entry = entry.map_err(list)?;
            let name = entry.file_name();
            if !note::is_note(&name) && entry.file_type().map_err(list)?.is_file() {
                let file = entry.path();
                fs::hard_link(&file, self.path.join(name))
                    .map_err(FolderError::io("give a second name to", &file))?;
            }
        }
        let port = FolderError::port(&self.path);
        OsFiles::new().sync_dir(&self.path).map_err(&port)?;
        self.path.parent().map_or(Ok(()), |parent| OsFiles::new().sync_dir(parent)).map_err(&port)
    }

    /// After a failure: takes the second names away, unless they keep what hot has no more; then the error says so.
    pub(super) fn give_up(&self, error: FolderError) -> FolderError {
        self.drop_if_useless();
        if !self.path.exists() {
            return error;
        }
        FolderError::Kept { path: self.path.clone(), source: Box::new(error) }
    }

    /// Takes the second names away, unless they keep what hot has no more.
    pub(super) fn drop_if_useless(&self) {
        if self.is_in_hot().unwrap_or(false) {
            // What is left is named, or looked at again by the next repair.
            let _ = note::remove_folder(&self.path);
        }
    }

    /// Whether what hot has no more is of no use: the engine writes all but tables anew at each open, once it has read it to the end.
    fn is_in_hot(&self) -> Result<bool> {
        let list = |source| FolderError::Io { action: "list", path: self.path.clone(), source };
        let cut = cut_files(&self.path).map_err(FolderError::port(&self.path))?;
        for entry in fs::read_dir(&self.path).map_err(list)? {
            let (file, name) = entry.map(|entry| (entry.path(), entry.file_name())).map_err(list)?;
            let is_table = file.extension().is_some_and(|end| end == "sst");
            if (is_table || cut.contains(&file)) && !is_same(&file, &self.hot.join(name)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether both are names of one file: a tier that was written anew has tables of the same names.
fn is_same(one: &Path, other: &Path) -> bool {
    let file = |path| fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino())).ok();
    file(one).is_some_and(|one| Some(one) == file(other))
}

/// The first name for an old hot tier that nothing has, be it a link that leads nowhere.
pub(super) fn free_name(hot: &Path) -> PathBuf {
    let mut names = (1..=MOST_KEPT).map(|n| named(hot, &format!(".damaged-{n}")));
    // Nothing is renamed over one that is full: that ends with an error.
    names.find(|path| fs::symlink_metadata(path).is_err()).unwrap_or_else(|| named(hot, ".damaged-1"))
}
