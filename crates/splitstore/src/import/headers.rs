//! All headers of an archive, to be read from the highest to the lowest, in bounded memory.
//!
//! ```text
//!   push     buffer, at most 32 MiB       full: sorted, written as a run, then empty
//!   descend  [run] [run] .. [buffer]      merged: by height, falling
//!
//!   run      (len u32 | height u64 | offset u64 | (cid len u8 | cid)+)*      little-endian; own CID, then parents
//! ```
//! A chain is walked downwards, so one pass over this list serves the whole walk, whatever the order of the archive.
//! A header takes about 250 bytes on disk, a run 64 KiB of memory while it is read.

use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use cid::Cid;
use splitstore_domain::{Epoch, TipsetKey};

/// Bytes of headers held in memory before they are written.
const BUFFER_BYTES: usize = 32 << 20;
/// Bytes read at once of each run.
const READ_BYTES: usize = 64 << 10;

/// What the walk needs of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) cid: Cid,
    pub(super) height: Epoch,
    /// What it is built on; empty at genesis.
    pub(super) parents: TipsetKey,
    /// Where it stands in the archive; `None` if it is the store's.
    pub(super) offset: Option<u64>,
}

/// The list.
pub(super) struct HeaderList {
    folder: PathBuf,
    buffer: Vec<Header>,
    bytes: usize,
    bytes_max: usize,
    runs: Vec<PathBuf>,
}

impl HeaderList {
    /// An empty list that spills into `folder`.
    pub(super) fn new(folder: &Path) -> Self {
        Self::with_buffer(folder, BUFFER_BYTES)
    }

    fn with_buffer(folder: &Path, bytes_max: usize) -> Self {
        Self { folder: folder.to_owned(), buffer: Vec::new(), bytes: 0, bytes_max, runs: Vec::new() }
    }

    pub(super) fn push(&mut self, header: Header) -> io::Result<()> {
        self.bytes += size_of::<Header>() + size_of_val(header.parents.cids());
        self.buffer.push(header);
        if self.bytes < self.bytes_max {
            return Ok(());
        }
        self.spill()
    }

    fn spill(&mut self) -> io::Result<()> {
        self.sort();
        let path = self.folder.join(format!("headers-{}", self.runs.len()));
        let mut out = BufWriter::with_capacity(READ_BYTES, File::create_new(&path)?);
        self.buffer.iter().try_for_each(|header| out.write_all(&encode(header)))?;
        out.flush()?;
        self.runs.push(path);
        self.buffer.clear();
        self.bytes = 0;
        Ok(())
    }

    fn sort(&mut self) {
        self.buffer.sort_by_key(|header| std::cmp::Reverse(header.height));
    }

    /// Nothing is pushed any more.
    pub(super) fn finish(mut self) -> Headers {
        self.sort();
        Headers { buffer: self.buffer, runs: self.runs }
    }
}

/// A finished list.
pub(super) struct Headers {
    buffer: Vec<Header>,
    runs: Vec<PathBuf>,
}

impl Headers {
    /// All of them, from the highest to the lowest.
    pub(super) fn descend(&self) -> io::Result<Descent<'_>> {
        let mut sources: Vec<Source<'_>> = vec![Source::Buffer(self.buffer.iter())];
        for path in &self.runs {
            sources.push(Source::Run(BufReader::with_capacity(READ_BYTES, File::open(path)?)));
        }
        let mut descent = Descent { heads: Vec::new(), highest: BinaryHeap::new(), sources };
        for source in 0..descent.sources.len() {
            descent.heads.push(None);
            descent.advance(source)?;
        }
        Ok(descent)
    }
}

/// A pass over the list.
pub(super) struct Descent<'a> {
    sources: Vec<Source<'a>>,
    /// The next header of each source.
    heads: Vec<Option<Header>>,
    /// Their heights, and whose they are.
    highest: BinaryHeap<(Epoch, usize)>,
}

enum Source<'a> {
    Buffer(std::slice::Iter<'a, Header>),
    Run(BufReader<File>),
}

impl Source<'_> {
    fn next(&mut self) -> io::Result<Option<Header>> {
        match self {
            Self::Buffer(headers) => Ok(headers.next().cloned()),
            Self::Run(file) => decode(file),
        }
    }
}

impl Descent<'_> {
    /// The next lower header, or another of the same height.
    pub(super) fn next(&mut self) -> io::Result<Option<Header>> {
        let Some((_, source)) = self.highest.pop() else { return Ok(None) };
        let header = self.heads[source].take();
        self.advance(source)?;
        Ok(header)
    }

    fn advance(&mut self, source: usize) -> io::Result<()> {
        if let Some(header) = self.sources[source].next()? {
            self.highest.push((header.height, source));
            self.heads[source] = Some(header);
        }
        Ok(())
    }
}

fn encode(header: &Header) -> Vec<u8> {
    let mut record = vec![0; 4];
    record.extend(header.height.height().to_le_bytes());
    record.extend(header.offset.unwrap_or_default().to_le_bytes());
    for cid in std::iter::once(&header.cid).chain(header.parents.cids()) {
        let cid = cid.to_bytes();
        record
            .push(u8::try_from(cid.len()).expect("a cid has less than 100 bytes: its digest has 64 at most"));
        record.extend(cid);
    }
    let len = u32::try_from(record.len() - 4).expect("a header names 8192 parents at most");
    record[..4].copy_from_slice(&len.to_le_bytes());
    record
}

fn decode(file: &mut impl Read) -> io::Result<Option<Header>> {
    let mut len = [0; 4];
    // Records are written whole, so the end of a run lies between two of them.
    match file.read_exact(&mut len) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let mut record = vec![0; usize::try_from(u32::from_le_bytes(len)).unwrap_or(usize::MAX)];
    file.read_exact(&mut record)?;
    parse(&record)
        .map(Some)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a run of headers is damaged"))
}

fn parse(record: &[u8]) -> Option<Header> {
    let (height, rest) = record.split_first_chunk()?;
    let (offset, mut rest) = rest.split_first_chunk()?;
    let mut cids = Vec::new();
    while let Some((len, bytes)) = rest.split_first() {
        let (cid, after) = bytes.split_at_checked(usize::from(*len))?;
        cids.push(Cid::try_from(cid).ok()?);
        rest = after;
    }
    let parents = TipsetKey::new(cids.get(1..)?.to_vec());
    let (height, offset) = (Epoch::new(u64::from_le_bytes(*height)), Some(u64::from_le_bytes(*offset)));
    Some(Header { cid: *cids.first()?, height, parents, offset })
}

#[cfg(test)]
mod tests {
    use cid::multihash::Multihash;

    use super::*;

    fn header(height: u64, parents: u8) -> Header {
        let cid = |number: u8| Cid::new_v1(0x71, Multihash::wrap(0x12, &[number; 32]).unwrap());
        let parents = TipsetKey::new((0..parents).map(cid).collect());
        Header { cid: cid(200), height: Epoch::new(height), parents, offset: Some(7 * height) }
    }

    #[test]
    fn headers_come_back_from_the_highest_to_the_lowest_whether_spilled_or_not() {
        for bytes_max in [BUFFER_BYTES, 2000, 1] {
            let folder = tempfile::tempdir().unwrap();
            let mut list = HeaderList::with_buffer(folder.path(), bytes_max);
            for at in 0..100 {
                list.push(header(at * 37 % 100, u8::try_from(at % 5).unwrap())).unwrap();
            }
            let headers = list.finish();
            for _ in 0..2 {
                let mut descent = headers.descend().unwrap();
                let mut found = Vec::new();
                while let Some(header) = descent.next().unwrap() {
                    found.push(header);
                }
                let heights: Vec<_> = found.iter().map(|header| header.height.height()).collect();
                assert_eq!(heights, (0..100).rev().collect::<Vec<_>>());
                assert!(found.iter().all(|header| header.offset == Some(7 * header.height.height())));
                assert_eq!(found.iter().map(|header| header.parents.cids().len()).sum::<usize>(), 200);
            }
        }
    }

    #[test]
    fn a_run_that_is_cut_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let mut list = HeaderList::with_buffer(folder.path(), 1);
        list.push(header(3, 2)).unwrap();
        let run = folder.path().join("headers-0");
        let bytes = std::fs::read(&run).unwrap();
        std::fs::write(&run, &bytes[..bytes.len() - 1]).unwrap();
        assert!(list.finish().descend().is_err());
    }
}
