//! A new store appears whole or not at all.
//!
//! fjall makes its files one after the other and cannot open what a crash cuts short in between. So a store is
//! made beside its place and moved there (except onto the top of a mounted disk):
//!
//! ```text
//!   hot.creating/  made, closed, synced  --rename-->  hot/  --sync of the folder above-->  durable
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use splitstore_ports::{PortError, Result};

/// fjall's mark of a folder that is a whole database.
const MARK: &str = "version";

/// Makes the store in `path` with `make` where no whole one is, and no other files are.
pub(crate) fn unless_there(path: &Path, make: impl Fn(&Path) -> Result<()>) -> Result<()> {
    if path.join(MARK).is_file() {
        return Ok(());
    }
    let failed = |error| PortError::io(format!("make hot tier {}", path.display()), error);
    fs::create_dir_all(path).map_err(failed)?;
    // Where a link leads is where the store lives.
    let path = path.canonicalize().map_err(failed)?;
    match fs::remove_dir(&path) {
        // The top of a mounted disk: nothing can be moved there.
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => return make(&path),
        // A folder that holds files, or is no folder, is not ours to fill.
        removed => removed.map_err(failed)?,
    }
    let beside = beside(&path);
    clear(&beside).map_err(failed)?;
    make(&beside)?;
    fs::rename(&beside, &path).and_then(|()| sync_above(&path)).map_err(failed)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".creating");
    path.with_file_name(name)
}

/// Removes what a crash left.
fn clear(beside: &Path) -> io::Result<()> {
    match fs::remove_dir_all(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn sync_above(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |above| fs::File::open(above)?.sync_all())
}
