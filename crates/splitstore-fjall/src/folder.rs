//! The folder that the engine lives in, measured.

use std::fs;
use std::io;
use std::path::Path;

use splitstore_domain::ByteCount;
use splitstore_ports::{PortError, Result};

/// Bytes that the files below the folder take on disk. Files that vanish meanwhile count nothing.
pub(crate) fn size(path: &Path) -> Result<ByteCount> {
    let mut total = ByteCount(0);
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        add_up(&folder, &mut folders, &mut total)
            .map_err(|error| PortError::io(format!("measure the files of {}", folder.display()), error))?;
    }
    Ok(total)
}

fn add_up(folder: &Path, folders: &mut Vec<std::path::PathBuf>, total: &mut ByteCount) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => folders.push(entry.path()),
            Ok(metadata) => *total += on_disk(&metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What is allocated, not the length: a new journal is 64 MiB long and empty.
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
