//! The files of a store, and how fast they can be read at all.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::Result;

use super::cache::Cache;
use crate::compare::{Gauges, Site};
use crate::compose::hot_path;
use crate::pair::timed;

/// As much as `cat` reads at once.
const CHUNK: usize = 128 << 10;

/// One file after the other from its beginning to its end, on one thread.
pub(crate) fn read(site: &Site, cache: Cache) -> Result<Gauges> {
    let copy = site.copy()?;
    let folder = hot_path(copy.path());
    let from_disk = cache.prepare(copy.path())?;
    let (took, bytes) = timed(&site.clock, || read_all(&folder))?;
    let from_disk = from_disk.bytes()?;
    cache.check(from_disk, bytes)?;
    Ok(vec![("seconds", took.as_secs_f64()), ("bytes", bytes as f64), ("from_disk", from_disk as f64)])
}

/// Reads all files of a folder; their bytes.
pub(crate) fn read_all(folder: &Path) -> Result<u64> {
    let (mut bytes, mut chunk) = (0, vec![0; CHUNK]);
    each(folder, |path| {
        let mut file = File::open(path)?;
        loop {
            match file.read(&mut chunk)? {
                0 => return Ok(()),
                read => bytes += read as u64,
            }
        }
    })?;
    Ok(bytes)
}

/// Bytes of all files of a folder.
pub(crate) fn size(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    each(folder, |path| {
        bytes += path.metadata()?.len();
        Ok(())
    })?;
    Ok(bytes)
}

/// Shows the tables of an engine's folder, where all else is small and written while it is open; and the pack of a link
/// index. A folder that is not there has none.
pub(crate) fn each(folder: &Path, mut look: impl FnMut(&Path) -> Result<()>) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_table = path.extension().is_some_and(|extension| extension == "sst");
        if is_table || path.file_name().is_some_and(|name| name == "pack") {
            look(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_tables_are_read_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        for (name, size) in [("1.sst", 200_000), ("2.sst", 10), ("LOG", 77)] {
            std::fs::write(folder.path().join(name), vec![1; size]).unwrap();
        }
        assert_eq!(read_all(folder.path()).unwrap(), 200_010);
        assert_eq!(size(folder.path()).unwrap(), 200_010);
    }
}
