//! A file in the making: under a temporary name beside its target until it is whole and synced.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Removed when dropped, unless it was published.
pub(crate) struct Partial {
    path: PathBuf,
    target: PathBuf,
}

impl Partial {
    /// Makes the file `.<name>.<process>-<n>.partial` beside `target`, which must not be there or be a regular
    /// file.
    pub(crate) fn beside(target: &Path) -> io::Result<(Self, File)> {
        refuse_irregular(target)?;
        let invalid = || io::Error::new(io::ErrorKind::InvalidInput, "it names no file");
        let name = target.file_name().ok_or_else(invalid)?.to_string_lossy();
        let path = target.with_file_name(partial_name(&name, NEXT.fetch_add(1, Ordering::Relaxed)));
        // No other file of this process has this name: what is there, a killed process of the same id left.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let file = File::options().write(true).create_new(true).open(&path)?;
        Ok((Self { path, target: target.to_owned() }, file))
    }

    /// Gives the file, which must be closed or flushed, its name, durably; replaces a file that has it.
    pub(crate) fn publish(self, file: &File) -> io::Result<()> {
        file.sync_all()?;
        // Again: it may have come to be since.
        refuse_irregular(&self.target)?;
        fs::rename(&self.path, &self.target)?;
        let folder = self.target.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // After `publish` nothing of that name is left; what cannot be removed says by its name what it is.
        let _ = fs::remove_file(&self.path);
    }
}

/// Numbers the files of this process.
static NEXT: AtomicU64 = AtomicU64::new(0);

fn partial_name(name: &str, number: u64) -> String {
    format!(".{name}.{}-{number}.partial", std::process::id())
}

/// A rename replaces whatever has the name: also a device, a pipe, or the link to another file.
fn refuse_irregular(target: &Path) -> io::Result<()> {
    let why = match fs::symlink_metadata(target) {
        Ok(found) if found.is_file() => return Ok(()),
        Ok(found) if found.is_dir() => {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
        }
        Ok(found) if found.is_symlink() => "it is a symbolic link, name the file itself",
        Ok(_) => "it is no regular file, name another",
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_of_the_same_id_left_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("chain.car");
        let first = NEXT.load(Ordering::Relaxed);
        for number in first..first + 100 {
            fs::write(folder.path().join(partial_name("chain.car", number)), "left").unwrap();
        }
        let (partial, file) = Partial::beside(&target).unwrap();
        partial.publish(&file).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 100, "99 left, and the file");
    }

    #[test]
    fn two_at_once_do_not_meet() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("chain.car");
        let (one, two) = (Partial::beside(&target).unwrap(), Partial::beside(&target).unwrap());
        one.0.publish(&one.1).unwrap();
        two.0.publish(&two.1).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_is_no_target() {
        let folder = tempfile::tempdir().unwrap();
        let refused = Partial::beside(folder.path()).map(drop).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::IsADirectory);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_or_a_socket_is_no_target_and_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link, socket) =
            (folder.path().join("file"), folder.path().join("link"), folder.path().join("socket"));
        fs::write(&file, "mine").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for target in [&link, &socket] {
            let refused = Partial::beside(target).map(drop).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::InvalidInput, "{refused}");
        }
        assert_eq!(fs::read(&file).unwrap(), b"mine");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
