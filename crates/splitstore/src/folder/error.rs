//! Why a store folder could not be made or opened: each says which folder, and what to do.

use std::error::Error as StdError;
use std::io;
use std::path::{Path, PathBuf};

use splitstore_domain::PolicyError;
use splitstore_ports::{ErrorKind, PortError};
use thiserror::Error;

use super::settings::{HotEngine, LAYOUT};

/// Result of this module.
pub type Result<T, E = FolderError> = std::result::Result<T, E>;

/// Why a store folder could not be made or opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FolderError {
    /// Nothing, or an empty folder, is there.
    #[error("no store at {}: make one there with `init`, or name another folder", path.display())]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// A folder that `create` began and did not finish.
    #[error("the store at {} was never finished: `init` was stopped half-way, run it again", path.display())]
    HalfMade {
        /// The folder.
        path: PathBuf,
    },
    /// A part of the store is gone.
    #[error(
        "the store at {} lacks its `{}`: restore it, or make a new store and import the chain into that",
        path.display(), part.display()
    )]
    MissingPart {
        /// The folder.
        path: PathBuf,
        /// What is not there, relative to it.
        part: PathBuf,
    },
    /// The hot tier is of another engine than the settings say.
    #[error(
        "{} names {named} as the hot tier's engine, but `hot` was made by {found}: set it back; the engine of a store \
         does not change",
        path.display()
    )]
    OtherEngine {
        /// The settings.
        path: PathBuf,
        /// What they say.
        named: HotEngine,
        /// What is there.
        found: HotEngine,
    },
    /// A folder with other things in it.
    #[error(
        "{} is no store: it holds `{found}` but no splitstore.toml; name another folder, or restore that file",
        path.display()
    )]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// The first name found in it.
        found: String,
    },
    /// `create` found a store.
    #[error("there is a store at {} already: use it, or name another folder", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// The path leads to a file or something else.
    #[error("{} is not a folder: name the folder of a store", path.display())]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },
    /// The path is a symbolic link.
    #[error(
        "{} is a symbolic link to {}: name that folder itself, so that one store has one name",
        path.display(), target.display()
    )]
    Symlink {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// Another process, or another handle, has the store open.
    #[error("the store at {} is in use: wait until its process ends, or stop it", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
        /// Who holds it.
        source: PortError,
    },
    /// The folder may not be written to.
    #[error(
        "the store at {} cannot be written to: give this user write permission, or mount its disk writable",
        path.display()
    )]
    ReadOnly {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The disk is full.
    #[error("no space left for the store at {}: free space on its disk and try again", path.display())]
    Full {
        /// The folder.
        path: PathBuf,
        /// What could not be written.
        source: PortError,
    },
    /// A newer version made the store.
    #[error(
        "the store at {} has layout {found}, this version knows up to {LAYOUT}: use a newer splitstore",
        path.display()
    )]
    TooNew {
        /// The folder.
        path: PathBuf,
        /// Its layout.
        found: u64,
    },
    /// The settings file cannot be read.
    #[error("read settings {}: mend the file by hand, or restore it", path.display())]
    BadSettings {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The windows make no sense together.
    #[error("windows of the store at {}", path.display())]
    BadWindows {
        /// The folder.
        path: PathBuf,
        /// What is wrong with them.
        source: PolicyError,
    },
    /// The engine was left out when this was built.
    #[error(
        "the store at {} has its hot tier on {engine}, which this build lacks: build with `--features {engine}`",
        path.display()
    )]
    NotBuilt {
        /// The folder.
        path: PathBuf,
        /// The engine.
        engine: HotEngine,
    },
    /// The engine of the hot tier cannot be read past its damage.
    #[error(
        "the store at {} has its hot tier on {engine}, for which there is no repair: make a new store and import the chain \
         into that",
        path.display()
    )]
    NoRepair {
        /// The folder.
        path: PathBuf,
        /// The engine.
        engine: HotEngine,
    },
    /// A compaction has sealed, and could not be finished before a repair.
    #[error(
        "finish a compaction of the store at {} first: if damage hinders it, set `purge = \"delete\"` in splitstore.toml and repair again",
        path.display()
    )]
    Unfinished {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: Box<Self>,
    },
    /// Hot is the root of a disk: what is written beside it would be on another.
    #[error(
        "{} is the root of its disk, and a new hot tier has to be written beside it: move hot to a folder of that disk, and \
         let the store's `hot` link to it", path.display()
    )]
    OwnDisk {
        /// The hot tier.
        path: PathBuf,
    },
    /// What lies beside hot, under a name that a repair uses, was made by none.
    #[error("{} was made by no repair of this store: give it another name, then repair again", path.display())]
    InTheWay {
        /// What is there.
        path: PathBuf,
    },
    /// A repair failed, and what hot was before stays under a second name: opening has taken something out of hot.
    #[error("the repair failed, and the files of hot as they were before are kept in {}", path.display())]
    Kept {
        /// The second name.
        path: PathBuf,
        /// Why it failed.
        source: Box<Self>,
    },
    /// Another process has had the store open since its runs were finished for a repair, and left one.
    #[error("{}: another process has begun a compaction meanwhile: stop it and repair again", path.display())]
    Interfered {
        /// The folder.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{action} {}", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// With which path.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
    /// A part of the store failed.
    #[error("open the store at {}", path.display())]
    Part {
        /// The folder.
        path: PathBuf,
        /// Which, and why.
        source: PortError,
    },
    /// The store as a whole could not start.
    #[error("start the store at {}", path.display())]
    Start {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: crate::Error,
    },
}

impl FolderError {
    /// A failed port of the store at `path`, as what it means for the folder.
    pub(super) fn port(path: &Path) -> impl Fn(PortError) -> Self {
        let path = path.to_owned();
        move |source| {
            let path = path.clone();
            match source.kind() {
                ErrorKind::Full => Self::Full { path, source },
                ErrorKind::Locked => Self::Locked { path, source },
                _ if is_read_only(&source) => Self::ReadOnly { path, source: source.into() },
                _ => Self::Part { path, source },
            }
        }
    }

    /// A failed call of the operating system on `path`.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| {
            if is_read_only(&source) {
                return Self::ReadOnly { path, source: source.into() };
            }
            Self::Io { action, path, source }
        }
    }
}

/// Whether somewhere below stands the system's refusal to write.
fn is_read_only(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if matches!(kind, Some(io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)) {
            return true;
        }
        cause = error.source();
    }
    false
}
