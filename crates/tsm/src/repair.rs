//! Saving what can be saved of a damaged file, into a new one. The input is only read.
//!
//! ```text
//!   header             written anew, whatever it says
//!   footer             wrong: the index is found behind the blocks, which are found by their checksums
//!   seal               wrong: some key, nobody knows which, may be another, so the new file has none
//!   index record       one field wrong, the others right by the blocks: mended (repair/records.rs)
//!                      else lost, and its blocks have no key; the walk goes on at the next whole record
//!                      a key out of order: given up with its blocks, the neighbours stay
//!   block without key  found by its checksum (repair/scan.rs), given up, its bytes are handed out
//!   block              checksum wrong, or it does not decode: given up, its bytes are handed out
//!                      times do not ascend, or two are equal: sorted, the later value stays
//!                      index says other times: mended in the new index
//!                      index says another offset or size, but not both: the block that must stand there is taken
//!   else               byte for byte
//! ```
//! Nothing is guessed: a block with a wrong checksum is not given a new one, and no key is made up.

mod records;
mod scan;
mod start;

use std::io;
use std::sync::Arc;

use records::{Record, Records, Step};
use scan::Scan;

use crate::cursor::Source;
use crate::entry::Entry;
use crate::error::{At, Error};
use crate::layout::HEADER_LEN;
use crate::reader::{check_header, read_sealed};
use crate::seal::{self, SEAL_LEN, SealState};
use crate::verify::Finding;
use crate::verify::extents::Extents;
use crate::writer::{Finished, Room, Sink};
use crate::{
    BlockType, Column, Decoder, Encoder, Encoding, Fault, Limits, ReadAt, Result, SealedBlock, TimeRange,
    TsmWriter,
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
    /// Those of them that are whole, but no key is known for them.
    pub keyless: u64,
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
    let (source, footer) = start::find(bytes, file, limits)?;
    let source = Arc::new(source);
    let mut repair = Repair {
        scan: Scan::new(Arc::clone(&source), limits),
        next_block: HEADER_LEN,
        blocks_end: source.index_at,
        unplaced: 0,
        source,
        limits,
        writer,
        quarantine,
        decoder: Decoder::new(limits),
        encoder: Encoder::new(Encoding::COMPACTION.keeping_nans()),
        buffer: Vec::new(),
        column: Column::empty(BlockType::Float),
        extents: Extents::default(),
        report: Repaired::default(),
    };
    let header = check_header(&repair.source).err();
    header.into_iter().chain(footer).try_for_each(|error| repair.note(error))?;
    repair.blocks_end = repair.blocks_end()?;
    repair.records()?;
    repair.keyless()?;
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
    /// What the records claim.
    extents: Extents,
    scan: Scan,
    /// Where the block must stand that the index names next, and where all of them end.
    next_block: u64,
    blocks_end: u64,
    /// Blocks given up of which it is not known where they are.
    unplaced: u64,
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
    /// Where the last block must have ended: before the index, or before its seal.
    fn blocks_end(&mut self) -> Result<u64> {
        match seal::state(&self.source)? {
            SealState::Unsealed => return Ok(self.source.index_at),
            SealState::Whole => {}
            SealState::Broken { stored, computed } => {
                self.note(seal::broken(&self.source, stored, computed))?;
                self.writer.unseal();
            }
        }
        Ok(self.source.index_at - SEAL_LEN)
    }

    /// All records. One waits until the next is known: of two keys out of order that one goes that does not fit
    /// between its neighbours.
    fn records(&mut self) -> Result<()> {
        let mut records = Records::new(Arc::clone(&self.source), self.limits);
        let (mut waiting, mut written): (Option<Record>, Option<Vec<u8>>) = (None, None);
        loop {
            let next = match records.next()? {
                Step::Record(next) => next,
                Step::Lost { at, fault } => {
                    self.note(self.source.at().offset(at).damaged(fault))?;
                    continue;
                }
                Step::End => break,
            };
            let Some(before) = waiting.take() else {
                waiting = Some(next);
                continue;
            };
            if before.key < next.key {
                written = Some(self.record(before)?);
                waiting = Some(next);
            } else if written.as_ref().is_none_or(|written| *written < next.key) {
                self.give_up_record(&before, &next.key)?;
                waiting = Some(next);
            } else {
                self.give_up_record(&next, &before.key)?;
                waiting = Some(before);
            }
        }
        waiting.map_or(Ok(()), |last| self.record(last).map(|_| ()))
    }

    /// Blocks that no record names.
    fn keyless(&mut self) -> Result<()> {
        for (from, to) in self.extents.gaps(self.blocks_end.max(HEADER_LEN)) {
            let mut at = from;
            while let Some((start, size)) = self.scan.next(at, to)? {
                let finding = Finding { at: self.source.at().offset(start), fault: Fault::Keyless };
                let bytes = self.scan.take();
                self.hand_out(finding, &bytes)?;
                self.report.keyless += 1;
                // It may be one that was given up before, when nobody knew where it is.
                let known = self.unplaced.min(1);
                (self.unplaced, self.report.lost) = (self.unplaced - known, self.report.lost - known);
                at = start + size;
            }
        }
        Ok(())
    }

    /// Writes what is whole of a record; gives its key back.
    fn record(&mut self, record: Record) -> Result<Vec<u8>> {
        if let Some(fault) = record.fault.clone() {
            let at = self.source.at().key(&record.key).offset(record.at);
            self.report.findings.push(Finding { at, fault });
        }
        record.entries.iter().try_for_each(|entry| self.block(&record, entry))?;
        Ok(record.key)
    }

    fn give_up_record(&mut self, record: &Record, beside: &[u8]) -> Result<()> {
        for entry in &record.entries {
            self.give_up(record, entry, Fault::KeyOrder { previous: crate::shown(beside) })?;
        }
        Ok(())
    }

    fn block(&mut self, record: &Record, entry: &Entry) -> Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        // The times of a block are told by the block.
        let place = Entry { times: TimeRange::ALL, ..*entry };
        let outcome = match read_sealed(&self.source, self.limits, &place, &mut buffer) {
            Ok(sealed) => {
                self.claim(entry);
                self.sealed(record, entry, sealed)
            }
            Err(Error::Damaged { fault, .. }) => match self.placed(entry)? {
                Some(placed) => self.found(record, &placed, fault),
                None => self.give_up(record, entry, fault),
            },
            Err(error) => Err(error),
        };
        self.buffer = buffer;
        outcome
    }

    /// The block that must stand next, if the entry is right about its offset or about its size.
    fn placed(&mut self, entry: &Entry) -> Result<Option<Entry>> {
        let Some(size) = self.scan.at(self.next_block, self.blocks_end)? else { return Ok(None) };
        let right = entry.offset == self.next_block || u64::from(entry.size) == size;
        let size = u32::try_from(size).ok().filter(|_| right);
        Ok(size.map(|size| Entry { offset: self.next_block, size, ..*entry }))
    }

    /// The bytes that an entry names are no others', and the next block comes behind them.
    fn claim(&mut self, entry: &Entry) {
        let place = Entry { times: TimeRange::ALL, ..*entry };
        if place.check(self.source.index_at).is_ok() {
            self.extents.claim(entry.offset, entry.end());
            self.next_block = entry.end();
        }
    }

    /// The block that was just scanned.
    fn found(&mut self, record: &Record, entry: &Entry, fault: Fault) -> Result<()> {
        let bytes = self.scan.take();
        let sealed = SealedBlock::verify(&bytes).map_err(|fault| self.at(record, entry).damaged(fault))?;
        self.claim(entry);
        self.report.findings.push(Finding { at: self.at(record, entry), fault });
        self.sealed(record, entry, sealed)
    }

    /// A block whose checksum is right.
    fn sealed(&mut self, record: &Record, entry: &Entry, sealed: SealedBlock<'_>) -> Result<()> {
        let key = &record.key;
        match self.decoder.decode_bytes(sealed.bytes(), &mut self.column) {
            Ok(block) if block == record.kind => {}
            Ok(block) => {
                return self.give_up(record, entry, Fault::TypeMismatch { index: record.kind, block });
            }
            Err(fault) => return self.give_up(record, entry, fault),
        }
        let room = match self.fate(entry) {
            Fate::Keep => {
                self.report.kept += 1;
                self.writer.write_block(key, entry.times, sealed)?
            }
            Fate::Retime(times) => {
                let TimeRange { min, max } = times;
                let (index_min, index_max) = (entry.times.min, entry.times.max);
                self.mended(record, entry, Fault::IndexTimes { index_min, index_max, min, max });
                self.writer.write_block(key, times, sealed)?
            }
            Fate::Sort => {
                let times = self.column.times();
                let index = times.windows(2).position(|pair| pair[0] >= pair[1]).map_or(0, |at| at + 1);
                self.mended(record, entry, Fault::TimeOrder { index });
                self.column.sort_and_dedup();
                self.writer.write_points(key, self.column.points(), &mut self.encoder)?
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

    fn at(&self, record: &Record, entry: &Entry) -> At {
        self.source.at().key(&record.key).offset(entry.offset)
    }

    fn mended(&mut self, record: &Record, entry: &Entry, fault: Fault) {
        self.report.mended += 1;
        self.report.findings.push(Finding { at: self.at(record, entry), fault });
    }

    /// Hands out what bytes there are of a block, and leaves it out.
    fn give_up(&mut self, record: &Record, entry: &Entry, fault: Fault) -> Result<()> {
        let end = entry.end().min(self.source.index_at);
        let len = usize::try_from(end.saturating_sub(entry.offset)).unwrap_or(0).min(self.limits.block_bytes);
        let mut bytes = vec![0; len];
        if len == 0 {
            self.unplaced += 1;
        } else {
            self.source.read(&mut bytes, entry.offset)?;
        }
        self.claim(entry);
        self.hand_out(Finding { at: self.at(record, entry), fault }, &bytes)
    }

    fn hand_out(&mut self, finding: Finding, bytes: &[u8]) -> Result<()> {
        let handed = (self.quarantine)(&finding, bytes);
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
