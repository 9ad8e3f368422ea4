//! Two names exchanged in one step.

use std::path::Path;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use splitstore_ports::{FileSystem, PortError, Result};

use crate::OsFiles;

/// Gives each of two files or folders of one parent the other's name, durably: at no moment is either name without one.
///
/// `Unsupported` or `Unavailable` where the file system cannot; nothing has changed then.
pub fn exchange(one: &Path, other: &Path) -> Result<()> {
    let attempt = || format!("exchange {} and {}", one.display(), other.display());
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)
        .map_err(|error| PortError::io(attempt(), error.into()))?;
    one.parent().map_or(Ok(()), |parent| OsFiles::new().sync_dir(parent))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn each_has_the_others_name_and_where_one_is_missing_nothing_changes() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other, none] = ["one", "other", "none"].map(|name| folder.path().join(name));
        for path in [&one, &other] {
            fs::create_dir(path).unwrap();
        }
        fs::write(one.join("a"), b"a").unwrap();
        exchange(&one, &other).unwrap();
        assert!(other.join("a").is_file() && !one.join("a").exists());
        let error = exchange(&other, &none).unwrap_err();
        assert!(error.to_string().contains("none"), "{error}");
        assert!(other.join("a").is_file());
    }
}
