//! Looks at the engine's MANIFEST before the engine does, which takes damage in it for the end.
//!
//! ```text
//!   CURRENT     names MANIFEST-n
//!   MANIFEST-n  records (log_format.rs)
//!   n.log       records too: what was written and is in no table yet
//! ```
//! It is the list of tables. The engine reads it up to the first record that does not match its checksum, and **deletes all tables that it has
//! not read of**: one turned bit in the middle costs the tier. Some bits make it read on for ever. After a power cut the last record may
//! be cut, or an empty sector before others, as whatever hangs on them was not told yet; what else has sound records behind it is
//! damage, and ends the open.
//!
//! A log of writes is read the same way, and what it drops there is lost all the same; but there a power cut leaves such damage too, of
//! writes that nobody was promised. So it is told, and no open ends for it.

use std::fs;
use std::io::ErrorKind as Io;
use std::path::{Path, PathBuf};

use splitstore_ports::{ErrorKind, PortError, Result};

use crate::log_format::{End, end, end_of_writes, first_odd};

/// Refuses a tier whose list of tables is damaged.
pub(crate) fn check(folder: &Path) -> Result<()> {
    let Some(name) = read(&folder.join("CURRENT"))? else { return Ok(()) };
    let name = String::from_utf8_lossy(&name);
    let path = folder.join(name.trim_end());
    // What is no list, or is not there, the engine says by itself.
    if !name.starts_with("MANIFEST-") {
        return Ok(());
    }
    let Some(bytes) = read(&path)? else { return Ok(()) };
    match end(&bytes) {
        End::Whole | End::Cut(_) => Ok(()),
        End::Damaged(at) => {
            let attempt = format!(
                "open hot tier {}: its list of tables, {}, is damaged at offset {at}; nothing was changed: put back a copy of \
                 the tier, or make a new store and import the chain into that",
                folder.display(),
                path.display()
            );
            Err(PortError::bare(ErrorKind::Corrupt, attempt))
        }
    }
}

/// A file, if it is there.
fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), Io::NotFound | Io::IsADirectory) => Ok(None),
        Err(error) => Err(PortError::io(format!("read {}", path.display()), error)),
    }
}

/// Logs and the list of tables of a tier that nobody has open, if they do not end with a record: the engine takes the rest for never written. So
/// it looks after a power cut in the middle of a write, and after damage.
///
/// Errors: a file that cannot be read.
pub fn cut_files(folder: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
    let mut cut = Vec::new();
    for file in files(folder.as_ref(), |path| is_log(path) || is_list(path))? {
        if read(&file)?.is_some_and(|bytes| first_odd(&bytes).is_some()) {
            cut.push(file);
        }
    }
    Ok(cut)
}

/// Logs of writes of a tier that nobody has open, if they have damage before sound records, which the engine will drop: those behind it in
/// the log, and all of the logs that follow. Each is read once.
pub(crate) fn damaged_logs(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut damaged, mut goes_on) = (Vec::new(), false);
    for log in files(folder, is_log)?.into_iter().rev() {
        let Some(bytes) = read(&log)? else { continue };
        match end_of_writes(&bytes) {
            End::Damaged(_) => damaged.push(log),
            // A kill cuts the last one only.
            End::Cut(_) if goes_on => damaged.push(log),
            End::Cut(_) | End::Whole => {}
        }
        goes_on |= !bytes.is_empty();
    }
    damaged.reverse();
    Ok(damaged)
}

fn is_log(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "log")
}

fn is_list(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("MANIFEST-"))
}

/// The files of this kind, by name.
fn files(folder: &Path, kind: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>> {
    let failed = |error| PortError::io(format!("list {}", folder.display()), error);
    let mut named = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if kind(&path) {
            named.push(path);
        }
    }
    named.sort_unstable();
    Ok(named)
}
