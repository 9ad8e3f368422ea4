//! The candidates of one run: what may leave hot, in key order, in chunks.
//!
//! ```text
//!   record   (fate u8 | key_len u8 | key | codec u64 LE)*      as many candidates as make a chunk
//!   last     empty                                             without it the file is cut
//! ```

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use splitstore_domain::BlockKey;
use splitstore_ports::FileSystem;

use crate::batches::Batches;
use crate::error::Result;
use crate::records::{FileKind, RecordReader, RecordWriter};

/// File name in a run's folder.
pub(crate) const NAME: &str = "candidates";

/// What becomes of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Copied to cold before it is deleted.
    Transfer = 1,
    /// Copied to cold, and stays in hot.
    Copy = 3,
    /// Deleted.
    Drop = 2,
}

/// A block that may leave hot, or is copied to cold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) fate: Fate,
    pub(crate) key: BlockKey,
    pub(crate) codec: u64,
}

/// Writes candidates.
pub(crate) struct CandidateWriter {
    records: RecordWriter,
    chunk: Vec<u8>,
    chunk_max: usize,
    in_chunk: usize,
    chunks: u64,
}

impl CandidateWriter {
    pub(crate) fn create(files: &Arc<dyn FileSystem>, folder: &Path, chunk: NonZeroUsize) -> Result<Self> {
        let records = RecordWriter::create(files, &folder.join(NAME), FileKind::Candidates)?;
        let chunk_max = chunk.get().min(Batches::CHUNK_MAX);
        Ok(Self { records, chunk: Vec::new(), chunk_max, in_chunk: 0, chunks: 0 })
    }

    pub(crate) fn push(&mut self, fate: Fate, key: &BlockKey, codec: u64) -> Result<()> {
        let key = key.as_bytes();
        let len = u8::try_from(key.len()).expect("multihashes are at most 80 bytes");
        self.chunk.extend_from_slice(&[fate as u8, len]);
        self.chunk.extend_from_slice(key);
        self.chunk.extend_from_slice(&codec.to_le_bytes());
        self.in_chunk += 1;
        if self.in_chunk == self.chunk_max { self.end_chunk() } else { Ok(()) }
    }

    /// Writes the rest and the end mark, durably; how many chunks there are.
    pub(crate) fn finish(mut self, files: &dyn FileSystem, folder: &Path) -> Result<u64> {
        if self.in_chunk > 0 {
            self.end_chunk()?;
        }
        self.records.append(&[])?;
        self.records.sync()?;
        files.sync_dir(folder)?;
        Ok(self.chunks)
    }

    fn end_chunk(&mut self) -> Result<()> {
        self.records.append(&self.chunk)?;
        self.chunk.clear();
        self.in_chunk = 0;
        self.chunks += 1;
        Ok(())
    }
}

/// Reads candidates chunk by chunk.
pub(crate) struct CandidateReader {
    records: RecordReader,
    ended: bool,
}

impl Fate {
    /// Whether cold gets it.
    pub(crate) const fn is_for_cold(self) -> bool {
        matches!(self, Self::Transfer | Self::Copy)
    }
}

impl CandidateReader {
    pub(crate) fn open(files: &dyn FileSystem, folder: &Path) -> Result<Self> {
        let path = folder.join(NAME);
        let records = RecordReader::open(files, &path, FileKind::Candidates)?;
        let missing = crate::Error::DamagedFile { path, fault: "the list of candidates is missing" };
        Ok(Self { records: records.ok_or(missing)?, ended: false })
    }

    /// The next chunk; `None` at the end mark. A file without one is damage.
    pub(crate) fn next_chunk(&mut self) -> Result<Option<Vec<Candidate>>> {
        if self.ended {
            return Ok(None);
        }
        let chunk = self.records.next_record()?;
        let chunk = chunk.ok_or_else(|| self.records.damage("the list of candidates is cut"))?;
        if chunk.is_empty() {
            self.ended = true;
            return Ok(None);
        }
        decode(&chunk).map(Some).ok_or_else(|| self.records.damage("a candidate cannot be read"))
    }

    /// Reads the whole list, to know that it is sound before anything is deleted on its strength; how many of its
    /// blocks move nowhere.
    pub(crate) fn check(mut self) -> Result<u64> {
        let mut dropped = 0;
        while let Some(more) = self.check_some(1)? {
            dropped += more;
        }
        Ok(dropped)
    }

    /// The same for so many chunks; `None` after the last.
    pub(crate) fn check_some(&mut self, chunks: usize) -> Result<Option<u64>> {
        let mut dropped = 0;
        for read in 0..chunks {
            let Some(chunk) = self.next_chunk()? else { return Ok((read > 0).then_some(dropped)) };
            dropped += chunk.iter().filter(|candidate| candidate.fate == Fate::Drop).count() as u64;
        }
        Ok(Some(dropped))
    }
}

fn decode(mut bytes: &[u8]) -> Option<Vec<Candidate>> {
    let mut candidates = Vec::new();
    while let Some((&[fate, len], rest)) = bytes.split_first_chunk::<2>() {
        let fate = [Fate::Transfer, Fate::Drop, Fate::Copy].into_iter().find(|known| *known as u8 == fate)?;
        let (key, rest) = rest.split_at_checked(len.into())?;
        let (codec, rest) = rest.split_first_chunk::<8>()?;
        let key = BlockKey::from_bytes(key).ok()?;
        candidates.push(Candidate { fate, key, codec: u64::from_le_bytes(*codec) });
        bytes = rest;
    }
    bytes.is_empty().then_some(candidates)
}
