//! What stands at a path, before anything is touched.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::{FolderError, Result};
use super::settings::HotEngine;

/// Names in a store folder.
pub(super) const SETTINGS: &str = "splitstore.toml";
/// The settings while a store is being made; its presence marks a folder as half-made.
pub(super) const SETTINGS_PARTIAL: &str = "splitstore.toml.partial";
pub(super) const LOCK: &str = "LOCK";
pub(super) const HOT: &str = "hot";
pub(super) const COLD: &str = "cold";
pub(super) const COLD_FILE: &str = "cold.redb";
pub(super) const META: &str = "meta.redb";
#[cfg(feature = "rocksdb")]
pub(super) const LINKS: &str = "links";
pub(crate) const WORK: &str = "work";

/// What a folder is to us.
pub(super) enum Place {
    /// Nothing is there.
    Nothing,
    /// An empty folder, or one that only a lock was put in.
    Empty,
    /// A store.
    Store,
    /// A store that was not finished.
    HalfMade,
    /// Somebody else's folder, holding at least this.
    Foreign(String),
}

impl Place {
    /// Looks at `path`. Errors: a link, something that is no folder.
    pub(super) fn look(path: &Path) -> Result<Self> {
        let found = match fs::symlink_metadata(path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::Nothing),
            Err(error) => return Err(unreadable(path, error)),
        };
        if found.file_type().is_symlink() {
            let target = fs::read_link(path).unwrap_or_else(|_| PathBuf::from("an unknown place"));
            return Err(FolderError::Symlink { path: path.to_owned(), target });
        }
        if !found.is_dir() {
            return Err(FolderError::NotAFolder { path: path.to_owned() });
        }
        Ok(Self::of(names(path)?))
    }

    fn of(mut names: Vec<String>) -> Self {
        names.sort_unstable();
        let has = |name: &str| names.iter().any(|found| found == name);
        if has(SETTINGS) {
            return Self::Store;
        }
        if has(SETTINGS_PARTIAL) {
            return Self::HalfMade;
        }
        names.into_iter().find(|name| name != LOCK).map_or(Self::Empty, Self::Foreign)
    }
}

/// Refuses a store that lacks a part: the engines would make an empty one, and the loss would go unseen. Parts
/// may be links, a link that leads nowhere is a part that is missing.
pub(super) fn refuse_missing_parts(path: &Path, engine: HotEngine) -> Result<()> {
    let hot = Path::new(HOT);
    for part in [hot.to_owned(), hot.join(engine.marker()), Path::new(COLD).join(COLD_FILE), META.into()] {
        match fs::metadata(path.join(&part)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                refuse_other_engine(path, engine)?;
                return Err(FolderError::MissingPart { path: path.to_owned(), part });
            }
            // What stands there otherwise is for the engine to judge.
            Ok(_) | Err(_) => {}
        }
    }
    Ok(())
}

/// Another engine's hot tier is not a lost one: the settings were changed.
fn refuse_other_engine(path: &Path, named: HotEngine) -> Result<()> {
    let (hot, settings) = (path.join(HOT), path.join(SETTINGS));
    let is_there = |engine: HotEngine| hot.join(engine.marker()).exists();
    match HotEngine::ALL.iter().copied().find(|engine| *engine != named && is_there(*engine)) {
        Some(found) if !is_there(named) => Err(FolderError::OtherEngine { path: settings, named, found }),
        _ => Ok(()),
    }
}

fn names(path: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(path).map_err(|error| unreadable(path, error))?;
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    entries.map(|entry| entry.map(name).map_err(|error| unreadable(path, error))).collect()
}

/// Not by [`FolderError::io`]: a folder that may not be read is another thing than one that may not be written.
fn unreadable(path: &Path, source: io::Error) -> FolderError {
    FolderError::Io { action: "look at", path: path.to_owned(), source }
}
