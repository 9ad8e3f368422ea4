//! TSM as a format of `segment-compaction`: its planner, locks and crash-safe driver compact TSM files.
//!
//! ```text
//!   000000012-000000003.tsm   .tombstone   .tss
//!   stats    every block's count, from its timestamp section       planner
//!   merger   Merge: exact last write wins                          compactor
//!   writer   TsmWriter over an Output (temporary, throttled)       compactor
//!   verify   verify::verify: every checksum, decode, order, index  before an input is removed
//! ```

use std::io::{self, Write};
use std::sync::Arc;

use segment_compaction::{
    Cancel, Fill, FormatError, FormatErrorKind, MergeMode, Merger, Naming, Output, Room, Segment,
    SegmentFormat, SegmentId, SegmentStats, SegmentWriter, Tombstones as Deleted,
};

use crate::layout::{BLOCKS_PER_KEY_MAX, POINTS_PER_BLOCK};
use crate::merge::{Merge, MergeInput, MergeOptions};
use crate::name::{STATS, TOMBSTONE, TSM, Width};
use crate::tombstone::{self, Tombstones};
use crate::writer::{Room as BlockRoom, Sink, WriterOptions};
use crate::{
    Encoder, Encoding, Error, IndexBuffer, IndexSeal, Limits, Points, Result, SortedKeys, StatsMode,
    TsmReader, TsmWriter, verify,
};

/// How TSM files are read and written when they are compacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TsmOptions {
    /// Digits of the names of new files.
    pub width: Width,
    /// Points of a full block.
    pub points_per_block: usize,
    /// What one block may take in memory.
    pub limits: Limits,
    /// Whether a `.tss` file is written beside each new one.
    pub stats: StatsMode,
    /// Whether a new file's index gets a checksum.
    pub seal: IndexSeal,
    /// Bytes of a new file's index that stay in memory.
    pub index_memory: usize,
}

impl Default for TsmOptions {
    fn default() -> Self {
        Self {
            width: Width::default(),
            points_per_block: POINTS_PER_BLOCK,
            limits: Limits::default(),
            stats: StatsMode::Skip,
            seal: IndexSeal::Crc,
            index_memory: crate::INDEX_MEMORY,
        }
    }
}

/// The format.
#[derive(Debug, Clone, Copy, Default)]
pub struct TsmFormat {
    options: TsmOptions,
}

/// A merge of TSM files.
pub struct TsmMerger {
    merge: Merge,
    /// Names in errors, and whose they are.
    files: Vec<(Arc<str>, SegmentId)>,
}

/// A TSM file being written.
pub struct TsmSegmentWriter {
    writer: TsmWriter<OutputSink>,
    room: Room,
}

impl TsmFormat {
    /// With options.
    pub fn new(options: TsmOptions) -> Self {
        Self { options }
    }

    /// Its options.
    pub fn options(&self) -> &TsmOptions {
        &self.options
    }

    fn open(&self, segment: &Segment) -> Result<TsmReader, FormatError> {
        let bytes = segment.open().map_err(|error| FormatError::from(error).of(segment.id))?;
        let file = segment.path().display().to_string();
        TsmReader::new(bytes.into(), &file, self.options.limits)
            .map_err(|error| format_error(error, Some(segment.id)))
    }

    fn tombstones(&self, segment: &Segment) -> Result<Tombstones, FormatError> {
        let path = segment.path();
        let read = tombstone::load_in(&**segment.files(), &path, self.options.limits);
        read.and_then(|file| {
            let entries = file.map_or_else(Vec::new, |file| file.entries);
            Tombstones::of(&entries, &tombstone::path_of(&path))
        })
        .map_err(|error| format_error(error, Some(segment.id)))
    }

    fn deleted(&self, segment: &Segment) -> Result<Deleted, FormatError> {
        Ok(if self.tombstones(segment)?.is_empty() { Deleted::None } else { Deleted::Some })
    }

    /// How full its blocks are, and whether a key has as many of them as a file can hold.
    fn fill(&self, reader: &TsmReader) -> Result<(Fill, Room)> {
        let (mut cursor, mut buffer) = (reader.cursor(), Vec::new());
        let (mut fill, mut room) = (Fill::default(), Room::Open);
        while cursor.advance()? {
            fill.keys += 1;
            if cursor.entries().len() == BLOCKS_PER_KEY_MAX {
                room = Room::Closed;
            }
            for entry in cursor.entries() {
                let block = reader.read_block(cursor.key(), cursor.kind()?, entry, &mut buffer)?;
                let counted = block.parse().and_then(|block| block.count());
                let points = counted.map_err(|fault| cursor.place().offset(entry.offset).damaged(fault))?;
                fill.blocks += 1;
                fill.full_blocks += u64::from(points >= self.options.points_per_block as u64);
                fill.points += points;
                fill.points_max = fill.points_max.max(points);
            }
        }
        Ok((fill, room))
    }
}

impl SegmentFormat for TsmFormat {
    type Merger = TsmMerger;
    type Writer = TsmSegmentWriter;

    fn naming(&self) -> Naming {
        let digits = match self.options.width {
            Width::Nine => 9,
            Width::Fifteen => 15,
        };
        Naming { generation_digits: digits, ..Naming::nine(TSM, &[TOMBSTONE, STATS]) }
    }

    fn stats(&self, segment: &Segment) -> Result<SegmentStats, FormatError> {
        let reader = self.open(segment)?;
        let (fill, room) = self.fill(&reader).map_err(|error| format_error(error, Some(segment.id)))?;
        let (bytes, tombstones) = (reader.summary().file_bytes, self.deleted(segment)?);
        Ok(SegmentStats { bytes, fill, tombstones, room })
    }

    fn merger(&self, inputs: &[Segment], mode: MergeMode, cancel: &Cancel) -> Result<TsmMerger, FormatError> {
        let (mut readers, mut files) = (Vec::new(), Vec::new());
        for segment in inputs {
            cancel.check()?;
            let reader = self.open(segment)?;
            files.push((Arc::clone(reader.file()), segment.id));
            readers.push(MergeInput { reader, deletions: self.tombstones(segment)? });
        }
        let options =
            MergeOptions { mode, points_per_block: self.options.points_per_block, ..MergeOptions::default() };
        match Merge::new(readers, options) {
            Ok(merge) => Ok(TsmMerger { merge: merge.until(cancel.clone()), files }),
            Err(error) => Err(named(error, &files)),
        }
    }

    fn writer(&self, output: Output) -> Result<TsmSegmentWriter, FormatError> {
        let scratch = output.scratch()?;
        let options = WriterOptions {
            // How large a file may get is for the compactor to say.
            file_bytes_max: u64::MAX,
            index: IndexBuffer::spilling(self.options.index_memory, move || Ok(Box::new(scratch))),
            stats: self.options.stats,
            seal: self.options.seal,
            ..WriterOptions::default()
        };
        let file = output.path().display().to_string();
        Ok(TsmSegmentWriter { writer: TsmWriter::new(OutputSink(output), &file, options), room: Room::Open })
    }

    fn verify(&self, segment: &Segment, cancel: &Cancel) -> Result<SegmentStats, FormatError> {
        let (limits, full_block) = (self.options.limits, self.options.points_per_block);
        let options = verify::Options { limits, full_block, statistics: None };
        let file = segment.path().display().to_string();
        let mut watch = |_| cancel.check().map_err(io::Error::other);
        let report = verify::watched(segment.open()?.into(), &file, options, &mut watch);
        let report = report.map_err(|error| format_error(error, Some(segment.id)))?;
        match report.findings.first() {
            Some(finding) => Err(FormatError::corrupt(segment.id, finding.to_string())),
            None => Ok(SegmentStats { tombstones: self.deleted(segment)?, ..stats_of(&report) }),
        }
    }
}

impl Merger for TsmMerger {
    type Writer = TsmSegmentWriter;

    fn advance(&mut self) -> Result<bool, FormatError> {
        self.merge.advance().map_err(|error| named(error, &self.files))
    }

    fn write(&mut self, writer: &mut TsmSegmentWriter) -> Result<(), FormatError> {
        let Some(block) = self.merge.block() else { return Ok(()) };
        let room = writer.writer.write_block(block.key, block.times, block.block);
        writer.note(room)
    }
}

/// A snapshot of the cache, written as a new generation.
impl Merger for SortedKeys {
    type Writer = TsmSegmentWriter;

    fn advance(&mut self) -> Result<bool, FormatError> {
        Ok(Self::advance(self))
    }

    fn write(&mut self, writer: &mut TsmSegmentWriter) -> Result<(), FormatError> {
        let room = Self::write(self, &mut writer.writer);
        writer.note(room)
    }
}

impl TsmSegmentWriter {
    /// Encodes sorted points and writes them as a block. Keys come ascending, blocks of a key ascending and apart.
    pub fn write_points(&mut self, key: &[u8], points: Points<'_>) -> Result<(), FormatError> {
        let room = self.writer.write_points(key, points, &mut Encoder::new(Encoding::SNAPSHOT));
        self.note(room)
    }

    fn note(&mut self, room: Result<BlockRoom>) -> Result<(), FormatError> {
        let room = room.map_err(|error| format_error(error, None))?;
        // The next block may be of the key that is full.
        self.room = if room == BlockRoom::More { Room::Open } else { Room::Closed };
        Ok(())
    }
}

impl SegmentWriter for TsmSegmentWriter {
    fn bytes(&self) -> u64 {
        self.writer.size()
    }

    fn room(&self) -> Room {
        self.room
    }

    fn finish(self) -> Result<Output, FormatError> {
        let finished = self.writer.finish().map_err(|error| format_error(error, None))?;
        let finished = finished.ok_or_else(|| FormatError::refused("a file without blocks"))?;
        let OutputSink(mut output) = finished.sink;
        if let Some(stats) = &finished.stats {
            output.sidecar(STATS, &stats.encode())?;
        }
        Ok(output)
    }
}

/// What a verification counted on its way.
fn stats_of(report: &verify::Report) -> SegmentStats {
    let verify::Report { keys, blocks, full_blocks, points, points_max, .. } = *report;
    let room = if report.blocks_per_key_max == BLOCKS_PER_KEY_MAX as u64 { Room::Closed } else { Room::Open };
    let fill = Fill { keys, blocks, full_blocks, points, points_max };
    SegmentStats { bytes: report.file_bytes, fill, tombstones: Deleted::None, room }
}

/// An output as a sink. The compactor syncs it, once, before it verifies it.
struct OutputSink(Output);

impl Write for OutputSink {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Sink for OutputSink {
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An error as the port's, with the segment whose file it names.
fn named(error: Error, files: &[(Arc<str>, SegmentId)]) -> FormatError {
    let file = error.at().file.clone();
    let segment = files.iter().find(|(name, _)| *name == file).map(|(_, segment)| *segment);
    format_error(error, segment)
}

fn format_error(error: Error, segment: Option<SegmentId>) -> FormatError {
    let error = match error {
        // Also what `Cancel` made of itself on its way through a reader or writer.
        Error::Io { source, .. } if source.get_ref().is_some() => FormatError::from(source),
        Error::Io { kind: _, ref source, .. } => FormatError::new(FormatErrorKind::Io(source.kind()), error),
        Error::Damaged { fault: crate::Fault::TypeConflict { .. }, .. } | Error::Refused { .. } => {
            FormatError::refused(error)
        }
        Error::Damaged { .. } => FormatError::new(FormatErrorKind::Corrupt, error),
    };
    match segment {
        Some(segment) => error.of(segment),
        None => error,
    }
}
