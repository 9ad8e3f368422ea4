//! The folder that the engine lives in.

use std::fs;
use std::path::Path;

use splitstore_domain::ByteCount;
use splitstore_ports::{PortError, Result};

/// Makes the folder, durably, if it is not there.
pub(crate) fn make(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let failed = |error| PortError::io(format!("make folder {} for the hot tier", path.display()), error);
    fs::create_dir_all(path).map_err(failed)?;
    // The engine syncs the folder, not the name that the folder has in the one above it.
    path.parent()
        .filter(|above| !above.as_os_str().is_empty())
        .map_or(Ok(()), |above| fs::File::open(above).and_then(|folder| folder.sync_all()).map_err(failed))
}

/// Bytes that the files of the folder take on disk. Files that vanish meanwhile count nothing.
pub(crate) fn size(path: &Path) -> Result<ByteCount> {
    let failed = |error| PortError::io(format!("measure the files of {}", path.display()), error);
    let mut total = ByteCount(0);
    for entry in fs::read_dir(path).map_err(failed)? {
        match entry.and_then(|entry| entry.metadata()) {
            Ok(metadata) if metadata.is_file() => total += on_disk(&metadata),
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            _ => (),
        }
    }
    Ok(total)
}

/// What is allocated, not the length: the log is allocated ahead of its end.
#[cfg(unix)]
fn on_disk(metadata: &fs::Metadata) -> ByteCount {
    use std::os::unix::fs::MetadataExt;
    const UNIT: u64 = 512;
    ByteCount(metadata.blocks().saturating_mul(UNIT))
}

#[cfg(not(unix))]
fn on_disk(metadata: &fs::Metadata) -> ByteCount {
    ByteCount(metadata.len())
}
