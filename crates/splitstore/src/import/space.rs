//! Is there room for an archive, before any of it is written?

use std::path::Path;

use splitstore_domain::ByteCount;
use splitstore_files::OsFiles;
use splitstore_ports::FileSystem;

use super::check::Checked;
use super::error::ImportError;
use crate::folder::StoreFolder;

/// Refuses an archive whose data alone is more than what is free where the hot tier lives. The engine needs some
/// more and may compress: this spares a hopeless beginning, and promises nothing.
pub(super) fn check(folder: &StoreFolder, path: &Path, checked: &Checked) -> Result<(), ImportError> {
    let [_, hot, _] = folder.folders();
    let free = OsFiles::new().free_space(&hot).map_err(ImportError::port(path))?;
    refuse(path, &hot, ByteCount(checked.bytes), free)
}

fn refuse(path: &Path, hot: &Path, needed: ByteCount, free: Option<ByteCount>) -> Result<(), ImportError> {
    match free {
        Some(free) if free.0 < needed.0 => {
            Err(ImportError::NoSpace { path: path.to_owned(), folder: hot.to_owned(), needed, free })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_larger_than_the_room_is_refused_with_both_figures() {
        let refused = |needed, free: Option<u64>| {
            refuse(Path::new("a.car"), Path::new("s/hot"), ByteCount(needed), free.map(ByteCount))
        };
        let error = refused(2048, Some(1024)).unwrap_err().to_string();
        assert!(error.contains("a.car") && error.contains("s/hot") && error.contains("2.0 KiB"), "{error}");
        refused(1024, Some(1024)).unwrap();
        refused(2048, None).unwrap();
    }
}
