//! A run: a file of sorted records that never changes, and what memory knows of it.
//!
//! ```text
//!   file     | page 0 | page 1 | .. | page n |         17.07 bytes per key
//!   memory   firsts: the first fingerprint of each page     0.07 bytes per key
//!            filter: says of 99.5 % of absent keys so       1.5 bytes per key
//! ```
//! A look-up that gets past the filter reads one page. A file is removed when its run is dropped. Nothing is
//! synced: runs do not outlive the process, only what was sealed does.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use splitstore_ports::{ErrorKind, PortError, Result};

use super::page::{PAGE_BYTES, PAGE_RECORDS, Page};
use super::record::Record;
use crate::block_filter::BlockFilter;
use crate::readings::Readings;

const FILTER_BITS_PER_KEY: u64 = 12;

/// Bytes per write and per read of whole runs.
const STREAM_BYTES: usize = 16 * PAGE_BYTES;

/// What names a run among all: its place in the folder and the seed of its checksums.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunId {
    /// Random, per set: two sets may share a folder.
    pub(super) set: u64,
    /// Counts up within the set.
    pub(super) number: u64,
}

impl RunId {
    fn path(self, folder: &Path) -> PathBuf {
        folder.join(format!("run-{:016x}-{}.marks", self.set, self.number))
    }

    const fn seed(self) -> u64 {
        self.set.wrapping_add(self.number)
    }
}

/// A run that can be asked.
#[derive(Debug)]
pub(super) struct Run {
    file: RunFile,
    len: u64,
    firsts: Vec<u128>,
    filter: BlockFilter,
}

/// The open file; gone with it.
#[derive(Debug)]
struct RunFile {
    file: File,
    path: PathBuf,
    seed: u64,
}

impl Drop for RunFile {
    fn drop(&mut self) {
        // Best effort: what stays behind goes with the folder, which is the run's.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Run {
    /// Writes records that ascend; `at_most` of them.
    pub(super) fn write(
        folder: &Path,
        id: RunId,
        at_most: u64,
        records: impl Iterator<Item = Result<Record>>,
    ) -> Result<Self> {
        let path = id.path(folder);
        let attempt = |source| PortError::io(format!("write {}", path.display()), source);
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path).map_err(attempt)?;
        let file = RunFile { file, path: path.clone(), seed: id.seed() };
        let filter = BlockFilter::new(at_most, FILTER_BITS_PER_KEY)?;
        let mut run = Self { file, len: 0, firsts: Vec::new(), filter };
        let mut out = BufWriter::with_capacity(STREAM_BYTES, run.file.file.try_clone().map_err(attempt)?);
        let mut pending = Vec::with_capacity(PAGE_RECORDS);
        for record in records {
            pending.push(record?);
            if pending.len() == PAGE_RECORDS {
                run.append(&mut pending, &mut out).map_err(attempt)?;
            }
        }
        if !pending.is_empty() {
            run.append(&mut pending, &mut out).map_err(attempt)?;
        }
        out.flush().map_err(attempt)?;
        Ok(run)
    }

    fn append(&mut self, pending: &mut Vec<Record>, out: &mut impl Write) -> std::io::Result<()> {
        out.write_all(&Page::of(pending, self.firsts.len() as u64, self.file.seed).0)?;
        self.firsts.extend(pending.first().map(Record::fingerprint));
        self.len += pending.len() as u64;
        for record in pending.drain(..) {
            self.filter.insert(record.fingerprint());
        }
        Ok(())
    }

    /// The readings of a fingerprint, `None` if it is not in this run.
    pub(super) fn find(&self, fingerprint: u128) -> Result<Option<Readings>> {
        if !self.filter.contains(fingerprint) {
            return Ok(None);
        }
        let after = self.firsts.partition_point(|&first| first <= fingerprint);
        let Some(page) = after.checked_sub(1) else { return Ok(None) };
        let number = page as u64;
        let mut bytes = [0; PAGE_BYTES];
        self.read(&mut bytes, number)?;
        Ok(self.checked(bytes, number)?.find(self.page_len(number), fingerprint))
    }

    /// How many records it has.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// How many records there are on a page.
    fn page_len(&self, number: u64) -> usize {
        let before = number.saturating_mul(PAGE_RECORDS as u64);
        usize::try_from(self.len.saturating_sub(before)).unwrap_or(usize::MAX).min(PAGE_RECORDS)
    }

    /// Reads whole pages.
    fn read(&self, bytes: &mut [u8], number: u64) -> Result<()> {
        let offset = number * PAGE_BYTES as u64;
        self.file.file.read_exact_at(bytes, offset).map_err(|source| {
            PortError::io(format!("read page {number} of {}", self.file.path.display()), source)
        })
    }

    fn checked(&self, bytes: [u8; PAGE_BYTES], number: u64) -> Result<Page> {
        let page = Page(bytes);
        page.check(number, self.file.seed).map_err(|source| {
            let attempt = format!("read page {number} of {}", self.file.path.display());
            PortError::new(ErrorKind::Corrupt, attempt, source)
        })?;
        Ok(page)
    }
}

/// All records of a run, in order; ends after the first error.
pub(super) struct RunRecords {
    run: Arc<Run>,
    next_page: u64,
    records: std::vec::IntoIter<Record>,
}

impl RunRecords {
    pub(super) fn new(run: Arc<Run>) -> Self {
        Self { run, next_page: 0, records: Vec::new().into_iter() }
    }

    /// Reads up to 16 pages; none at the end.
    fn refill(&mut self) -> Result<()> {
        let pages = self.run.firsts.len() as u64;
        let left = usize::try_from(pages - self.next_page).unwrap_or(usize::MAX);
        let mut bytes = vec![0; left.saturating_mul(PAGE_BYTES).min(STREAM_BYTES)];
        self.run.read(&mut bytes, self.next_page)?;
        let mut records = Vec::with_capacity(bytes.len() / Record::BYTES);
        let (read, _) = bytes.as_chunks();
        for page in read {
            let len = self.run.page_len(self.next_page);
            records.extend(self.run.checked(*page, self.next_page)?.records(len));
            self.next_page += 1;
        }
        self.records = records.into_iter();
        Ok(())
    }
}

impl Iterator for RunRecords {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.records.as_slice().is_empty()
            && let Err(error) = self.refill()
        {
            self.next_page = self.run.firsts.len() as u64;
            return Some(Err(error));
        }
        self.records.next().map(Ok)
    }
}
