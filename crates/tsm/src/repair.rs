//! Saving what can be saved of a damaged file, into a new one. The input is only read.
//!
//! ```text
//!   header             written anew, whatever it says
//!   footer             must be right: without it nothing is where it can be found
//!   index record       a key that does not come after the one before is given up with its blocks;
//!                      where the index itself breaks off, all that follows is given up
//!   block              checksum wrong, or it does not decode: given up, its bytes are handed out
//!                      times do not ascend, or two are equal: sorted, the later value stays
//!                      index says other times: mended in the new index
//!   else               byte for byte
//! ```
//! Nothing is guessed: a block with a wrong checksum is not given a new one.

use std::io;
use std::sync::Arc;

use crate::cursor::{IndexCursor, Source};
use crate::entry::Entry;
use crate::error::Error;
use crate::read_at::ReadAt;
use crate::reader::{check_header, footed, read_sealed};
use crate::verify::Finding;
use crate::writer::{Finished, Room, Sink};
use crate::{
    BlockType, Column, Decoder, Encoder, Encoding, Fault, Limits, Result, SealedBlock, TimeRange, TsmWriter,
};

/// What a repair did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Blocks kept byte for byte.
    pub kept: u64,
    /// Blocks kept, but sorted, or with other times in the index.
    pub mended: u64,
    /// Blocks given up.
    pub lost: u64,
    /// What was found, mended or given up.
    pub findings: Vec<Finding>,
}

/// Where the bytes of blocks go that are given up.
pub type Quarantine<'q> = dyn FnMut(&Finding, &[u8]) -> io::Result<()> + 'q;

/// Writes what can be saved of `bytes` into `writer`, which must take blocks in any order
/// ([`BlockOrder::Any`](crate::BlockOrder::Any)). `None` instead of a file if nothing could be saved.
pub fn repair<W: Sink>(
    bytes: Arc<dyn ReadAt>,
    file: &str,
    limits: Limits,
    writer: TsmWriter<W>,
    quarantine: &mut Quarantine<'_>,
) -> Result<(Repaired, Option<Finished<W>>)> {
    let source = Arc::new(footed(bytes, file)?);
    let mut repair = Repair {
        source,
        limits,
        writer,
        quarantine,
        decoder: Decoder::new(limits),
        encoder: Encoder::new(Encoding::COMPACTION.keeping_nans()),
        buffer: Vec::new(),
        column: Column::empty(BlockType::Float),
        report: Repaired::default(),
    };
    if let Err(error) = check_header(&repair.source) {
        repair.note(error)?;
    }
    repair.records()?;
    let Repair { writer, report, .. } = repair;
    Ok((report, writer.finish()?))
}

struct Repair<'q, 'r, W: Sink> {
    source: Arc<Source>,
    limits: Limits,
    writer: TsmWriter<W>,
    quarantine: &'r mut Quarantine<'q>,
    decoder: Decoder,
    encoder: Encoder,
    buffer: Vec<u8>,
    column: Column,
    report: Repaired,
}

/// What is to be done with a block.
enum Fate {
    Keep,
    /// The index is wrong about its times.
    Retime(TimeRange),
    /// Its points are out of order.
    Sort,
}

impl<W: Sink> Repair<'_, '_, W> {
    fn records(&mut self) -> Result<()> {
        let mut cursor = IndexCursor::new(Arc::clone(&self.source), self.source.index_at);
        let mut previous: Option<Vec<u8>> = None;
        loop {
            match cursor.advance() {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => return self.note(error),
            }
            if let Some(last) = previous.as_ref().filter(|last| last.as_slice() >= cursor.key()) {
                let fault = Fault::KeyOrder { previous: crate::shown(last) };
                self.give_up_all(&cursor, &fault)?;
                continue;
            }
            previous = Some(cursor.key().to_vec());
            match cursor.kind() {
                Ok(kind) => cursor.entries().iter().try_for_each(|entry| self.block(&cursor, kind, entry))?,
                Err(error) => {
                    self.report.lost += cursor.entries().len() as u64;
                    self.note(error)?;
                }
            }
        }
    }

    fn give_up_all(&mut self, cursor: &IndexCursor, fault: &Fault) -> Result<()> {
        for entry in cursor.entries() {
            self.give_up(cursor, entry, fault.clone())?;
        }
        Ok(())
    }

    fn block(&mut self, cursor: &IndexCursor, kind: BlockType, entry: &Entry) -> Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let outcome = match read_sealed(&self.source, self.limits, entry, &mut buffer) {
            Ok(sealed) => self.sealed(cursor, kind, entry, sealed),
            Err(Error::Damaged { fault, .. }) => self.give_up(cursor, entry, fault),
            Err(error) => Err(error),
        };
        self.buffer = buffer;
        outcome
    }

    /// A block whose checksum is right.
    fn sealed(
        &mut self,
        cursor: &IndexCursor,
        kind: BlockType,
        entry: &Entry,
        sealed: SealedBlock<'_>,
    ) -> Result<()> {
        match self.decoder.decode_bytes(sealed.bytes(), &mut self.column) {
            Ok(block) if block == kind => {}
            Ok(block) => return self.give_up(cursor, entry, Fault::TypeMismatch { index: kind, block }),
            Err(fault) => return self.give_up(cursor, entry, fault),
        }
        let room = match self.fate(entry) {
            Fate::Keep => {
                self.report.kept += 1;
                self.writer.write_block(cursor.key(), entry.times, sealed)?
            }
            Fate::Retime(times) => {
                let TimeRange { min, max } = times;
                let (index_min, index_max) = (entry.times.min, entry.times.max);
                self.mended(cursor, entry, Fault::IndexTimes { index_min, index_max, min, max });
                self.writer.write_block(cursor.key(), times, sealed)?
            }
            Fate::Sort => {
                let times = self.column.times();
                let index = times.windows(2).position(|pair| pair[0] >= pair[1]).map_or(0, |at| at + 1);
                self.mended(cursor, entry, Fault::TimeOrder { index });
                self.column.sort_and_dedup();
                self.writer.write_points(cursor.key(), self.column.points(), &mut self.encoder)?
            }
        };
        // As many blocks as the input has fit: no record had more.
        let (Room::More | Room::KeyFull | Room::FileFull) = room;
        Ok(())
    }

    fn fate(&self, entry: &Entry) -> Fate {
        match self.column.time_range() {
            _ if !self.column.is_sorted() => Fate::Sort,
            Some(times) if times != entry.times => Fate::Retime(times),
            _ => Fate::Keep,
        }
    }

    fn mended(&mut self, cursor: &IndexCursor, entry: &Entry, fault: Fault) {
        self.report.mended += 1;
        self.report.findings.push(Finding { at: cursor.place().offset(entry.offset), fault });
    }

    /// Hands out what bytes there are of a block, and leaves it out.
    fn give_up(&mut self, cursor: &IndexCursor, entry: &Entry, fault: Fault) -> Result<()> {
        let finding = Finding { at: cursor.place().offset(entry.offset), fault };
        let end = entry.end().min(self.source.index_at);
        let len = usize::try_from(end.saturating_sub(entry.offset)).unwrap_or(0).min(self.limits.block_bytes);
        let mut bytes = vec![0; len];
        self.source.read(&mut bytes, entry.offset)?;
        let handed = (self.quarantine)(&finding, &bytes);
        handed.map_err(|error| finding.at.clone().io("quarantine", error))?;
        self.report.lost += 1;
        self.report.findings.push(finding);
        Ok(())
    }

    /// Keeps what damage an error tells; any other error ends the repair.
    fn note(&mut self, error: Error) -> Result<()> {
        match error {
            Error::Damaged { at, fault } => {
                self.report.findings.push(Finding { at, fault });
                Ok(())
            }
            other => Err(other),
        }
    }
}
