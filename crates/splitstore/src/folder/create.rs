//! Makes a store folder, so that a kill at any moment leaves no store or a whole one.
//!
//! ```text
//!   folder, LOCK, splitstore.toml.partial | tiers | partial renamed to splitstore.toml
//!   ------------ half-made: may be made again ----|------------ a store ---------------
//! ```
//! Nothing can have been put into a half-made store, so what is there is removed and made anew.

use std::path::Path;

use splitstore_domain::Policy;
use splitstore_files::{OsFiles, StoreLock};
use splitstore_ports::FileSystem;

use super::engines::Engines;
use super::error::{FolderError, Result};
use super::parts::LocalParts;
use super::place::{COLD, HOT, LOCK, META, Place, SETTINGS, SETTINGS_PARTIAL};
use super::settings::FolderSettings;

/// Makes a store at `path`, which must not be there, or be empty, or half-made.
pub(super) fn create(path: &Path, settings: &FolderSettings) -> Result<()> {
    Policy::new(settings.windows)
        .map_err(|source| FolderError::BadWindows { path: path.to_owned(), source })?;
    if !settings.hot.is_built() {
        return Err(FolderError::NotBuilt { path: path.to_owned(), engine: settings.hot });
    }
    refuse(Place::look(path)?, path)?;
    let files = OsFiles::new();
    let port = FolderError::port(path);
    files.create_dir(path).map_err(&port)?;
    let _lock = StoreLock::acquire(&path.join(LOCK)).map_err(&port)?;
    // Looked at again under the lock: another process may have finished one in between.
    refuse(Place::look(path)?, path)?;
    fill(path, settings, &files)
}

fn refuse(place: Place, path: &Path) -> Result<()> {
    let path = path.to_owned();
    match place {
        Place::Store => Err(FolderError::Exists { path }),
        Place::Foreign(found) => Err(FolderError::Foreign { path, found }),
        Place::Nothing | Place::Empty | Place::HalfMade => Ok(()),
    }
}

fn fill(path: &Path, settings: &FolderSettings, files: &dyn FileSystem) -> Result<()> {
    let port = FolderError::port(path);
    let (partial, whole) = (path.join(SETTINGS_PARTIAL), path.join(SETTINGS));
    let mut file = files.create(&partial).map_err(&port)?;
    file.write_all(settings.to_toml().as_bytes()).map_err(FolderError::io("write", &partial))?;
    file.sync().map_err(&port)?;
    // From here on the folder is known as half-made.
    files.sync_dir(path).map_err(&port)?;
    for folder in [HOT, COLD] {
        files.remove_dir(&path.join(folder)).map_err(&port)?;
    }
    files.remove(&path.join(META)).map_err(&port)?;
    drop(Engines::open(path, settings, &LocalParts)?);
    files.sync_dir(path).map_err(&port)?;
    files.rename(&partial, &whole).map_err(&port)?;
    files.sync_dir(path).map_err(&port)
}
