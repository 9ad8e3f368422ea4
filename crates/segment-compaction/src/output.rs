//! An output: a file that vanishes unless it is committed.
//!
//! ```text
//!   create FILE.N.tmp -> write (throttled) -> sync -> [verify] -> rename to FILE
//!        |                    |                |          |
//!        '--------------------+----------------+----------'---> dropped: removed
//! ```

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::files::{FileSystem, FileWrite, Scratch};
use crate::interrupt::Cancel;
use crate::naming::{TEMPORARY, sidecar_name};
use crate::throttle::Throttle;

/// Names tried before giving up: left-overs of other processes may be in the way.
const ATTEMPTS: usize = 1000;

/// Makes temporary names of this process unique.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// A new segment being written: a [`Write`] that is throttled and can be cancelled.
pub struct Output {
    temporary: Temporary,
    file: Box<dyn FileWrite>,
    throttle: Throttle,
    cancel: Cancel,
    written: u64,
    sidecars: Vec<(&'static str, Temporary)>,
}

/// A name that is removed when this is dropped, unless it was kept.
pub(crate) struct Temporary {
    files: Arc<dyn FileSystem>,
    path: PathBuf,
    kept: bool,
}

/// A synced output with its sidecars, still under temporary names.
pub(crate) struct Synced {
    pub(crate) temporary: Temporary,
    pub(crate) sidecars: Vec<(&'static str, Temporary)>,
    pub(crate) bytes: u64,
}

impl Output {
    /// A new file in `folder`, meant to become `name`.
    pub fn create(
        files: &Arc<dyn FileSystem>,
        folder: &Path,
        name: &str,
        throttle: &Throttle,
        cancel: &Cancel,
    ) -> io::Result<Self> {
        let (temporary, file) = Temporary::create(files, folder, name)?;
        let (throttle, cancel) = (throttle.clone(), cancel.clone());
        Ok(Self { temporary, file, throttle, cancel, written: 0, sidecars: Vec::new() })
    }

    /// Where it lies for now.
    pub fn path(&self) -> &Path {
        &self.temporary.path
    }

    /// Bytes written so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// A nameless file beside it, for what does not fit into memory.
    pub fn scratch(&self) -> io::Result<Box<dyn Scratch>> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        self.temporary
            .files
            .scratch(&self.temporary.path.with_extension(format!("scratch{number}.{TEMPORARY}")))
    }

    /// A sidecar that is committed with it. `extension` is one of the format's own.
    pub fn sidecar(&mut self, extension: &'static str, bytes: &[u8]) -> io::Result<()> {
        let folder = self.path().parent().unwrap_or(Path::new(""));
        let name = self.path().file_name().unwrap_or_default().to_string_lossy();
        let name = sidecar_name(&name, extension);
        let (temporary, mut file) = Temporary::create(&self.temporary.files, folder, &name)?;
        file.write_all(bytes)?;
        file.sync()?;
        self.sidecars.push((extension, temporary));
        Ok(())
    }

    pub(crate) fn sync(mut self) -> io::Result<Synced> {
        self.file.flush()?;
        self.file.sync()?;
        Ok(Synced { temporary: self.temporary, sidecars: self.sidecars, bytes: self.written })
    }
}

impl Write for Output {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let piece = usize::try_from(self.throttle.piece()).unwrap_or(usize::MAX).min(buf.len());
        // Not `ErrorKind::Interrupted`: `write_all` would try again.
        self.throttle.take(piece as u64, &self.cancel).map_err(io::Error::other)?;
        let written = self.file.write(&buf[..piece])?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Temporary {
    fn create(
        files: &Arc<dyn FileSystem>,
        folder: &Path,
        name: &str,
    ) -> io::Result<(Self, Box<dyn FileWrite>)> {
        for _ in 0..ATTEMPTS {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{name}.{number}.{TEMPORARY}"));
            match files.create_new(&path) {
                Ok(file) => return Ok((Self { files: Arc::clone(files), path, kept: false }, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn commit(&mut self, to: &Path) -> io::Result<()> {
        self.files.rename(&self.path, to)?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.kept {
            // Nobody can be told; the next open of the folder removes what is left.
            let _ = self.files.remove(&self.path);
        }
    }
}
