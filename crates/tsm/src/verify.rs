//! Whether a file is what it should be: everything is read, decoded and compared, and all that is wrong is told.
//!
//! ```text
//!   file     header, footer, the index whole; every byte belongs to one block and no byte to two
//!   index    keys ascend; types known; times the right way round; blocks where they can be, in order, apart
//!   blocks   checksum; type as the index says; decodes; as many values as timestamps; timestamps ascend;
//!            first and last are those of the index
//!   keys     of a form that InfluxDB writes, if most of the file's are (verify/keys.rs)
//!   beside   statistics (.tss), where there are any: whole, and the same bytes for each measurement
//! ```
//! What one turned bit does: in the header, a block or its checksum, an entry, a count, a type, a length or the
//! footer it is found. In a key it is found if the index is sealed (see `seal.rs`; the default for what
//! [`TsmFormat`](crate::TsmFormat) and the tool write), if the keys no longer ascend, or if no key of `InfluxDB`
//! looks so: the format itself covers keys by nothing. [`Report::bare_key_bytes`] says how many bytes that concerns.

mod blocks;
pub(crate) mod extents;
mod finding;
mod keys;

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

pub use finding::{Class, Finding, Report};

use crate::cursor::{IndexCursor, Source};
use crate::entry::Entry;
use crate::error::{At, Error, Result, shown};
use crate::layout::POINTS_PER_BLOCK;
use crate::name::STATS;
use crate::seal::{self, SEAL_LEN, SealState};
use crate::{Fault, Limits, ReadAt, Stats, TimeRange, reader};
use blocks::BlockCheck;
use extents::Extents;
use keys::KeyForms;

/// What a verification goes by.
#[derive(Debug, Clone)]
pub struct Options {
    /// What one block may take in memory.
    pub limits: Limits,
    /// So many points make a full block.
    pub full_block: usize,
    /// The statistics that lie beside the file, and where.
    pub statistics: Option<(Arc<str>, Stats)>,
}

impl Default for Options {
    fn default() -> Self {
        Self { limits: Limits::default(), full_block: POINTS_PER_BLOCK, statistics: None }
    }
}

/// Hears of every block, by its bytes, before it is read; an error from it ends the verification.
pub type Watch<'w> = dyn FnMut(u64) -> io::Result<()> + 'w;

/// Verifies a file by its path, and the statistics beside it. An error is a failure to read; damage is in the report.
pub fn verify_file(path: impl AsRef<Path>) -> Result<Report> {
    watch_file(path, &mut |_| Ok(()))
}

/// As [`verify_file`], watched.
pub fn watch_file(path: impl AsRef<Path>, watch: &mut Watch<'_>) -> Result<Report> {
    let path = path.as_ref();
    let file = File::open(path).map_err(|error| At::path(path).io("open", error))?;
    let beside = path.with_extension(STATS);
    let (statistics, damaged) = match statistics(&beside)? {
        Some(Ok(stats)) => (Some((beside.to_string_lossy().into(), stats)), None),
        Some(Err(fault)) => (None, Some(Finding { at: At::path(&beside), fault })),
        None => (None, None),
    };
    let options = Options { statistics, ..Options::default() };
    let mut report = watched(Arc::new(file), &path.to_string_lossy(), options, watch)?;
    if let Some(finding) = damaged {
        report.push(finding);
    }
    Ok(report)
}

fn statistics(path: &Path) -> Result<Option<Result<Stats, Fault>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(Stats::decode(&bytes))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(At::path(path).io("read", error)),
    }
}

/// Verifies bytes from anywhere; `file` names them in findings.
pub fn verify(bytes: Arc<dyn ReadAt>, file: &str, limits: Limits) -> Result<Report> {
    watched(bytes, file, Options { limits, ..Options::default() }, &mut |_| Ok(()))
}

/// Verifies bytes from anywhere, watched: for progress, and to be stopped.
pub fn watched(
    bytes: Arc<dyn ReadAt>,
    file: &str,
    options: Options,
    watch: &mut Watch<'_>,
) -> Result<Report> {
    let mut report = Report::default();
    match reader::source(bytes, file) {
        Ok(source) => Verifier::new(Arc::new(source), options, &mut report, watch).run()?,
        Err(error) => report.note(error)?,
    }
    Ok(report)
}

struct Verifier<'r, 'w> {
    source: Arc<Source>,
    blocks: BlockCheck,
    extents: Extents,
    keys: KeyForms,
    expected: Option<(Arc<str>, Stats)>,
    counted: Stats,
    report: &'r mut Report,
    watch: &'r mut Watch<'w>,
}

impl<'r, 'w> Verifier<'r, 'w> {
    fn new(source: Arc<Source>, options: Options, report: &'r mut Report, watch: &'r mut Watch<'w>) -> Self {
        let blocks = BlockCheck::new(Arc::clone(&source), options.limits, options.full_block);
        let (extents, keys, counted) = (Extents::default(), KeyForms::default(), Stats::default());
        report.file_bytes = source.len;
        Self { source, blocks, extents, keys, expected: options.statistics, counted, report, watch }
    }

    fn run(mut self) -> Result<()> {
        let seal = self.seal()?;
        // Where the index could not be read to its end, what it did not tell is not missing.
        if self.records(seal)? {
            self.gaps(seal)?;
            self.statistics();
        }
        self.keys.tell(self.report);
        Ok(())
    }

    /// Whether what lies beside the file counts the same.
    fn statistics(&mut self) {
        let Some((file, expected)) = self.expected.take() else { return };
        if let Some((measurement, said, found)) = expected.difference(&self.counted) {
            let fault = Fault::StatsMismatch { measurement: shown(measurement), said, found };
            self.report.push(Finding { at: At::file(&file), fault });
        }
    }

    fn seal(&mut self) -> Result<SealState> {
        let seal = seal::state(&self.source)?;
        if let SealState::Broken { stored, computed } = seal {
            self.report.note(seal::broken(&self.source, stored, computed))?;
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
        self.report.blocks_per_key_max = self.report.blocks_per_key_max.max(cursor.entries().len() as u64);
        self.keys.look(cursor);
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
                let watched = (self.watch)(entry.size.into());
                watched.map_err(|error| self.source.at().io("verify", error))?;
                self.blocks.check(cursor.key(), kind, entry, self.report)?;
            }
        }
        Ok(())
    }

    /// What an entry says by itself and after those before it: the start of the last and the latest end.
    fn entry(&mut self, cursor: &IndexCursor, entry: &Entry, before: Option<TimeRange>) -> Result<()> {
        self.report.blocks += 1;
        if self.expected.is_some() {
            self.counted.add(cursor.key(), entry.size.into());
        }
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
