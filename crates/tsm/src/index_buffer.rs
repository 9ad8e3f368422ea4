//! The index while its file is being written: in memory, and beyond a bound in a file beside it.

use std::fmt;
use std::fs::{File, OpenOptions, remove_file};
use std::io::{self, Read, Seek, Write};
use std::path::PathBuf;

/// How much of the index `InfluxDB` keeps in memory.
pub const INDEX_MEMORY: usize = 64 << 20;
/// Bytes that are copied at once from the spilled index.
const COPY: usize = 64 << 10;

/// A place for what does not fit in memory.
pub trait Spill: Read + Write + Seek + Send {}
impl<S: Read + Write + Seek + Send> Spill for S {}

/// Makes such a place when it is needed.
type Open = Box<dyn FnOnce() -> io::Result<Box<dyn Spill>> + Send>;

/// Index records that wait for their place after the blocks.
pub struct IndexBuffer {
    memory: Vec<u8>,
    memory_max: usize,
    spilled: Spilled,
    len: u64,
    crc: crc32fast::Hasher,
}

enum Spilled {
    Never,
    Not(Open),
    In(Box<dyn Spill>),
}

impl IndexBuffer {
    /// All of it in memory.
    pub fn in_memory() -> Self {
        Self {
            memory: Vec::new(),
            memory_max: usize::MAX,
            spilled: Spilled::Never,
            len: 0,
            crc: crc32fast::Hasher::new(),
        }
    }

    /// Up to `memory_max` bytes in memory, then in a place that `open` makes.
    pub fn spilling(
        memory_max: usize,
        open: impl FnOnce() -> io::Result<Box<dyn Spill>> + Send + 'static,
    ) -> Self {
        Self { memory_max, spilled: Spilled::Not(Box::new(open)), ..Self::in_memory() }
    }

    /// The same, in a new file that is removed when the buffer is dropped. A file of that name that is there
    /// already is an error, not overwritten.
    pub fn spilling_to_file(memory_max: usize, path: PathBuf) -> Self {
        Self::spilling(memory_max, || Ok(Box::new(TempFile::create(path)?)))
    }

    /// Bytes of all records.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn push(&mut self, record: &[u8]) -> io::Result<()> {
        self.memory.extend_from_slice(record);
        self.len += record.len() as u64;
        self.crc.update(record);
        if self.memory.len() > self.memory_max { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> io::Result<()> {
        self.spilled = match std::mem::replace(&mut self.spilled, Spilled::Never) {
            Spilled::Not(open) => Spilled::In(open()?),
            other => other,
        };
        if let Spilled::In(place) = &mut self.spilled {
            place.write_all(&self.memory)?;
            self.memory.clear();
        }
        Ok(())
    }

    /// Of all records and what comes after them.
    pub(crate) fn crc_with(&self, after: &[u8]) -> u32 {
        let mut crc = self.crc.clone();
        crc.update(after);
        crc.finalize()
    }

    /// Copies all records, in order.
    pub(crate) fn copy_to(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if let Spilled::In(place) = &mut self.spilled {
            place.rewind()?;
            let mut piece = vec![0; COPY];
            let mut left = self.len - self.memory.len() as u64;
            while left > 0 {
                let len = usize::try_from(left).map_or(COPY, |left| left.min(COPY));
                place.read_exact(&mut piece[..len])?;
                out.write_all(&piece[..len])?;
                left -= len as u64;
            }
        }
        out.write_all(&self.memory)
    }
}

impl fmt::Debug for IndexBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self.spilled {
            Spilled::Never => "memory",
            Spilled::Not(_) => "memory so far",
            Spilled::In(_) => "spilled",
        };
        f.debug_struct("IndexBuffer").field("len", &self.len).field("place", &place).finish_non_exhaustive()
    }
}

/// A file that does not outlive its use.
struct TempFile {
    path: PathBuf,
    file: File,
}

impl TempFile {
    fn create(path: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        Ok(Self { path, file })
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        // Nobody is left to tell; a left-over `.idx.tmp` is removed at the next start.
        let _ = remove_file(&self.path);
    }
}

impl Read for TempFile {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.file.read(buf)
    }
}

impl Write for TempFile {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.file.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for TempFile {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
