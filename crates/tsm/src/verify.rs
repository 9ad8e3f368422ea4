//! Whether a file is what it should be: everything is read, decoded and compared, and all that is wrong is told.
//!
//! ```text
//!   file     header, footer, the index whole; every byte belongs to one block and no byte to two
//!   index    keys ascend; types known; times the right way round; blocks where they can be, in order, apart
//!   blocks   checksum; type as the index says; decodes; as many values as timestamps; timestamps ascend;
//!            first and last are those of the index
//! ```
//! What one turned bit does: in the header, a block or its checksum, an entry, a count, a type, a length or the
//! footer it is found. In a key it is found only if the keys no longer ascend, or if the index is sealed (see
//! `seal.rs`): the format covers keys by nothing, and one name is as good as another. [`Report::bare_key_bytes`]
//! says how many bytes that concerns.

mod blocks;
mod extents;
mod finding;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

pub use finding::{Class, Finding, Report};

use crate::cursor::{IndexCursor, Source};
use crate::entry::Entry;
use crate::error::{At, Error, Result, shown};
use crate::read_at::ReadAt;
use crate::seal::{self, SEAL_LEN, SealState};
use crate::{Fault, Limits, TimeRange, reader};
use blocks::BlockCheck;
use extents::Extents;

/// Verifies a file by its path. An error is a failure to read; damage is in the report.
pub fn verify_file(path: impl AsRef<Path>) -> Result<Report> {
    let path = path.as_ref();
    let file = File::open(path).map_err(|error| At::path(path).io("open", error))?;
    verify(Arc::new(file), &path.to_string_lossy(), Limits::default())
}

/// Verifies bytes from anywhere; `file` names them in findings.
pub fn verify(bytes: Arc<dyn ReadAt>, file: &str, limits: Limits) -> Result<Report> {
    let mut report = Report::default();
    match reader::source(bytes, file) {
        Ok(source) => Verifier::new(Arc::new(source), limits, &mut report).run()?,
        Err(error) => report.note(error)?,
    }
    Ok(report)
}

struct Verifier<'r> {
    source: Arc<Source>,
    blocks: BlockCheck,
    extents: Extents,
    report: &'r mut Report,
}

impl<'r> Verifier<'r> {
    fn new(source: Arc<Source>, limits: Limits, report: &'r mut Report) -> Self {
        let blocks = BlockCheck::new(Arc::clone(&source), limits);
        Self { source, blocks, extents: Extents::default(), report }
    }

    fn run(mut self) -> Result<()> {
        let seal = self.seal()?;
        let whole = self.records(seal)?;
        // Where the index could not be read to its end, what it did not tell is not missing.
        if whole { self.gaps(seal) } else { Ok(()) }
    }

    fn seal(&mut self) -> Result<SealState> {
        let seal = seal::state(&self.source)?;
        if let SealState::Broken { stored, computed } = seal {
            let at = self.source.at().offset(self.source.index_at - SEAL_LEN);
            self.report.note(at.damaged(Fault::IndexChecksum { stored, computed }))?;
        }
        Ok(seal)
    }

    /// All records; whether the index could be read to its end.
    fn records(&mut self, seal: SealState) -> Result<bool> {
        let mut cursor = IndexCursor::new(Arc::clone(&self.source), self.source.index_at);
        let mut previous: Option<Vec<u8>> = None;
        loop {
            match cursor.advance() {
                Ok(true) => self.record(&cursor, previous.as_deref())?,
                Ok(false) => break,
                Err(error) => return self.report.note(error).map(|()| false),
            }
            if seal == SealState::Unsealed {
                self.report.bare_key_bytes += cursor.key().len() as u64;
            }
            let last = previous.get_or_insert_default();
            last.clear();
            last.extend_from_slice(cursor.key());
        }
        if previous.is_none() {
            self.report.note(self.source.at().offset(self.source.index_at).damaged(Fault::NoEntries))?;
        }
        Ok(true)
    }

    fn record(&mut self, cursor: &IndexCursor, previous: Option<&[u8]>) -> Result<()> {
        self.report.keys += 1;
        let damaged = |fault| cursor.place().damaged(fault);
        if let Some(previous) = previous.filter(|previous| *previous >= cursor.key()) {
            self.report.note(damaged(Fault::KeyOrder { previous: shown(previous) }))?;
        }
        if cursor.entries().is_empty() {
            self.report.note(damaged(Fault::NoEntries))?;
        }
        let kind = cursor.kind().map_err(|error| self.report.note(error)).ok();
        let mut before: Option<TimeRange> = None;
        for entry in cursor.entries() {
            self.entry(cursor, entry, before)?;
            before =
                Some(before.map_or(entry.times, |all| {
                    TimeRange::new(entry.times.min, all.max.max(entry.times.max))
                }));
            if let Some(kind) = kind.filter(|_| entry.check(self.source.index_at).is_ok()) {
                self.blocks.check(cursor.key(), kind, entry, self.report)?;
            }
        }
        Ok(())
    }

    /// What an entry says by itself and after those before it: the start of the last and the latest end.
    fn entry(&mut self, cursor: &IndexCursor, entry: &Entry, before: Option<TimeRange>) -> Result<()> {
        self.report.blocks += 1;
        let at = || cursor.place().offset(entry.offset);
        if let Err(fault) = entry.check(self.source.index_at) {
            return self.report.note(cursor.place().damaged(fault));
        }
        let min = entry.times.min;
        if let Some(previous) = before.map(|before| before.min).filter(|previous| min < *previous) {
            self.report.note(at().damaged(Fault::EntryOrder { min, previous }))?;
        } else if let Some(previous) = before.map(|before| before.max).filter(|previous| min <= *previous) {
            self.report.note(at().damaged(Fault::Overlap { min, previous }))?;
        }
        if self.extents.claim(entry.offset, entry.end()) {
            return Ok(());
        }
        self.report.note(at().damaged(Fault::Shared { size: entry.size }))
    }

    fn gaps(&mut self, seal: SealState) -> Result<()> {
        let sealed = if seal == SealState::Unsealed { 0 } else { SEAL_LEN };
        for (start, end) in self.extents.gaps(self.source.index_at - sealed) {
            let fault = Fault::Unclaimed { bytes: end - start };
            self.report.note(self.source.at().offset(start).damaged(fault))?;
        }
        Ok(())
    }
}

impl Report {
    /// Keeps what damage an error tells; any other error ends the verification.
    fn note(&mut self, error: Error) -> Result<()> {
        match error {
            Error::Damaged { at, fault } => {
                self.push(Finding { at, fault });
                Ok(())
            }
            other => Err(other),
        }
    }
}
