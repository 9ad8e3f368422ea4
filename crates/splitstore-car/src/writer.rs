//! Writes a `CARv1`: the header at once, then a section per block.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use cid::Cid;
use unsigned_varint::encode;

use crate::error::{At, CarError, Result};
use crate::header;
use crate::limits::Limits;

/// A streaming writer of `CARv1`. Writes nothing that [`CarReader`](crate::CarReader) with the default
/// [`Limits`] would find too large. Blocks are written as given: hashing them is the caller's.
///
/// What was written is complete only after [`finish`](Self::finish).
#[derive(Debug)]
pub struct CarWriter<W> {
    inner: W,
    file: Arc<str>,
    offset: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Writing,
    Failed,
}

impl CarWriter<BufWriter<File>> {
    /// Creates (or empties) the file at `path` and writes the header.
    /// It is not synced: after `finish` that is the caller's.
    pub fn create(path: impl AsRef<Path>, roots: &[Cid]) -> Result<Self> {
        let file: Arc<str> = path.as_ref().display().to_string().into();
        match File::create(path) {
            Ok(inner) => Self::start(BufWriter::new(inner), file, roots),
            Err(source) => Err(CarError::Io { at: At { file, offset: 0 }, source }),
        }
    }
}

impl<W: Write> CarWriter<W> {
    /// Writes the header to `inner`, which should be buffered.
    pub fn new(inner: W, roots: &[Cid]) -> Result<Self> {
        Self::start(inner, "(car output)".into(), roots)
    }

    fn start(inner: W, file: Arc<str>, roots: &[Cid]) -> Result<Self> {
        let mut writer = Self { inner, file, offset: 0, state: State::Writing };
        let limits = Limits::default();
        writer.check("roots", limits.roots_max, roots.len())?;
        let header = header::encode(roots);
        writer.check("header bytes", limits.header_bytes_max, header.len())?;
        writer.write_prefixed(&[&header])?;
        Ok(writer)
    }

    /// Writes one block. A block that is too large is refused before a byte of it is written, and the
    /// writer stays usable; after any other error it does not.
    pub fn write_block(&mut self, cid: &Cid, data: &[u8]) -> Result<()> {
        let cid = cid.to_bytes();
        let len = cid.len().saturating_add(data.len());
        self.check("section bytes", Limits::default().section_bytes_max, len)?;
        self.write_prefixed(&[&cid, data])
    }

    /// Bytes written so far.
    pub fn bytes_written(&self) -> u64 {
        self.offset
    }

    /// Flushes and gives back what was written to.
    pub fn finish(mut self) -> Result<W> {
        self.check_usable()?;
        match self.inner.flush() {
            Ok(()) => Ok(self.inner),
            Err(source) => Err(CarError::Io { at: self.at(), source }),
        }
    }

    /// Writes the length of all `parts` together, then the parts.
    fn write_prefixed(&mut self, parts: &[&[u8]]) -> Result<()> {
        self.check_usable()?;
        let len: usize = parts.iter().map(|part| part.len()).sum();
        let mut varint = encode::u64_buffer();
        let prefix = encode::u64(len as u64, &mut varint);
        match write_all(&mut self.inner, prefix, parts) {
            Ok(()) => {
                self.offset += (prefix.len() + len) as u64;
                Ok(())
            }
            Err(source) => {
                self.state = State::Failed;
                Err(CarError::Io { at: self.at(), source })
            }
        }
    }

    fn check(&self, what: &'static str, limit: u64, found: usize) -> Result<()> {
        let found = found as u64;
        if found > limit {
            return Err(CarError::TooLarge { at: self.at(), what, limit, found });
        }
        Ok(())
    }

    fn check_usable(&self) -> Result<()> {
        if self.state == State::Failed {
            return Err(CarError::AfterError { at: self.at() });
        }
        Ok(())
    }

    fn at(&self) -> At {
        At { file: Arc::clone(&self.file), offset: self.offset }
    }
}

fn write_all(inner: &mut impl Write, prefix: &[u8], parts: &[&[u8]]) -> io::Result<()> {
    inner.write_all(prefix)?;
    parts.iter().try_for_each(|part| inner.write_all(part))
}
