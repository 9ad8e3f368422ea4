//! Files and folders of the operating system.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind as Io, Read, Write};
use std::path::{Path, PathBuf};

use splitstore_ports::domain::ByteCount;
use splitstore_ports::{ErrorKind, FileSystem, FileWrite, PortError, Result};

/// The local file system. What it makes, only its owner may open (on Unix: folders 0700, files 0600).
///
/// Writes are not buffered: each is one call of the operating system, so write whole records.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsFiles;

impl OsFiles {
    /// The local file system.
    pub const fn new() -> Self {
        Self
    }
}

impl FileSystem for OsFiles {
    fn create(&self, path: &Path) -> Result<Box<dyn FileWrite>> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        let file = private_file(&mut options).open(path).map_err(about("create", path))?;
        Ok(Box::new(OpenFile { file, path: path.to_owned() }))
    }

    fn append(&self, path: &Path) -> Result<Box<dyn FileWrite>> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        let file = private_file(&mut options).open(path).map_err(about("append to", path))?;
        Ok(Box::new(OpenFile { file, path: path.to_owned() }))
    }

    fn open(&self, path: &Path) -> Result<Option<Box<dyn Read + Send>>> {
        let file = present(File::open(path)).map_err(about("open", path))?;
        Ok(file.map(|file| Box::new(file) as _))
    }

    fn truncate(&self, path: &Path, len: u64) -> Result<()> {
        truncate(path, len).map_err(about("truncate", path))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let attempt = || format!("rename {} to {}", from.display(), to.display());
        fs::rename(from, to).map_err(|error| PortError::io(attempt(), error))
    }

    fn remove(&self, path: &Path) -> Result<()> {
        present(fs::remove_file(path)).map(drop).map_err(about("remove", path))
    }

    fn create_dir(&self, path: &Path) -> Result<()> {
        private_folder().recursive(true).create(path).map_err(about("create folder", path))
    }

    fn remove_dir(&self, path: &Path) -> Result<()> {
        present(fs::remove_dir_all(path)).map(drop).map_err(about("remove folder", path))
    }

    fn list(&self, path: &Path) -> Result<Vec<String>> {
        let attempt = about("list", path);
        let Some(entries) = present(fs::read_dir(path)).map_err(&attempt)? else { return Ok(Vec::new()) };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(&attempt)?.file_name();
            names.push(name.into_string().map_err(|name| {
                let attempt = format!("list {}: name {}", path.display(), name.display());
                PortError::new(ErrorKind::Corrupt, attempt, "it is not UTF-8")
            })?);
        }
        names.sort_unstable();
        Ok(names)
    }

    fn sync_dir(&self, path: &Path) -> Result<()> {
        sync_folder(path).map_err(about("sync folder", path))
    }

    fn free_space(&self, path: &Path) -> Result<Option<ByteCount>> {
        match fs4::available_space(path) {
            Ok(bytes) => Ok(Some(ByteCount(bytes))),
            Err(error) if error.kind() == Io::Unsupported => Ok(None),
            Err(error) => Err(about("ask for free space at", path)(error)),
        }
    }
}

/// A file being written.
struct OpenFile {
    file: File,
    path: PathBuf,
}

impl Write for OpenFile {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.file.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl FileWrite for OpenFile {
    fn sync(&mut self) -> Result<()> {
        self.file.sync_all().map_err(about("sync", &self.path))
    }
}

fn truncate(path: &Path, len: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    let has = file.metadata()?.len();
    if len > has {
        // `set_len` would fill up with zeros, which no journal ever wrote.
        return Err(io::Error::new(Io::InvalidInput, format!("it has {has} bytes, fewer than {len}")));
    }
    file.set_len(len)?;
    file.sync_all()
}

/// Makes the names in a folder durable. Windows has no such call; there it keeps names in its own journal.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(windows) {
        return fs::metadata(path).map(drop);
    }
    File::open(path)?.sync_all()
}

/// Absence is an answer, also that of a folder above.
fn present<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(thing) => Ok(Some(thing)),
        Err(error) if error.kind() == Io::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn about<'a>(act: &'a str, path: &'a Path) -> impl Fn(io::Error) -> PortError + 'a {
    move |error| PortError::io(format!("{act} {}", path.display()), error)
}

/// The options with which a file is made that only its owner may open.
#[cfg(unix)]
pub(crate) fn private_file(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}

/// Elsewhere a file has the permissions of its folder.
#[cfg(not(unix))]
pub(crate) fn private_file(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn private_folder() -> DirBuilder {
    use std::os::unix::fs::DirBuilderExt;
    let mut folder = DirBuilder::new();
    folder.mode(0o700);
    folder
}

#[cfg(not(unix))]
fn private_folder() -> DirBuilder {
    DirBuilder::new()
}
