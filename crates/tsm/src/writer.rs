//! Writing a file: blocks as they come, then the index, then where it starts.
//!
//! ```text
//!   write_block(key, times, block) *      keys ascending, blocks of a key ascending and apart
//!     -> Room::More | KeyFull | FileFull  the block is written in any case; full means: finish, go on elsewhere
//!   finish() -> None                      no block was written, so neither was a byte
//!            -> Some(Finished)            index and footer written, everything synced
//! ```
//! Memory: a write buffer of 256 KiB, the record of one key (28 bytes for each of its blocks), and the index up
//! to what [`IndexBuffer`] says.
//! The header is written with the first block. Data is synced every 25 MiB, so that the last sync is short.

use std::cmp::Ordering;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use crate::entry::Entry;
use crate::error::{At, Result, shown};
use crate::index_buffer::IndexBuffer;
use crate::layout::{
    BLOCKS_PER_KEY_MAX, CRC_LEN, ENTRY_LEN, FILE_LEN_MAX, FOOTER_LEN, HEADER_LEN, KEY_LEN_MAX, MAGIC,
    RECORD_LEN, VERSION,
};
use crate::seal::{self, IndexSeal, SEAL_LEN};
use crate::{BlockType, Encoder, Error, Points, Refusal, SealedBlock, Stats, TimeRange};

const BUFFER: usize = 256 << 10;

/// Where a file is written to.
///
/// **Contract.** After `sync` returns, what was written before survives a crash.
pub trait Sink: Write {
    /// Makes durable what was written.
    fn sync(&mut self) -> io::Result<()>;
}

impl Sink for std::fs::File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// Nothing in memory survives a crash.
impl Sink for Vec<u8> {
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How to write.
#[derive(Debug)]
pub struct WriterOptions {
    /// A file that has grown beyond this is full.
    pub file_bytes_max: u64,
    /// Data is synced when so many bytes were written since the last sync.
    pub sync_every: u64,
    /// Where the index waits for its place after the blocks.
    pub index: IndexBuffer,
    /// What is asked of the blocks of a key.
    pub order: BlockOrder,
    /// Whether bytes are counted by measurement; memory then grows with the number of measurements.
    pub stats: StatsMode,
    /// Whether the index gets a checksum, which the format itself does not have.
    pub seal: IndexSeal,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self {
            file_bytes_max: FILE_LEN_MAX,
            sync_every: 25 << 20,
            index: IndexBuffer::in_memory(),
            order: BlockOrder::Disjoint,
            stats: StatsMode::Skip,
            seal: IndexSeal::None,
        }
    }
}

/// What a writer asks of the blocks of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockOrder {
    /// Ascending and apart: refuses anything else.
    Disjoint,
    /// Anything; entries are sorted by their first time, as `InfluxDB` does. For repair.
    Any,
}

/// Whether statistics are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatsMode {
    /// Counted by measurement.
    Keep,
    /// Not counted.
    Skip,
}

/// Whether more fits, after a block was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Room {
    /// It does.
    More,
    /// The key has 65,535 blocks: another one is refused. Other keys fit.
    KeyFull,
    /// The file is larger than it should be. More is not refused.
    FileFull,
}

/// A whole file.
#[derive(Debug)]
pub struct Finished<W> {
    /// Where it was written to.
    pub sink: W,
    /// Bytes of the file.
    pub file_bytes: u64,
    /// Keys.
    pub keys: u64,
    /// Blocks.
    pub blocks: u64,
    /// First and last time.
    pub times: TimeRange,
    /// Bytes by measurement, if they were counted.
    pub stats: Option<Stats>,
}

/// Writes a file.
#[derive(Debug)]
pub struct TsmWriter<W: Sink> {
    sink: BufWriter<W>,
    file: Arc<str>,
    options: WriterOptions,
    /// Bytes of header and blocks.
    data: u64,
    synced: u64,
    keys: u64,
    blocks: u64,
    times: Option<TimeRange>,
    record: Pending,
    stats: Option<Stats>,
    encoded: Vec<u8>,
}

/// The record of the key that blocks are written for.
#[derive(Debug, Default)]
struct Pending {
    key: Vec<u8>,
    kind: Option<BlockType>,
    entries: Vec<Entry>,
    bytes: Vec<u8>,
}

impl<W: Sink> TsmWriter<W> {
    /// Writes into `sink`; `file` names it in errors.
    pub fn new(sink: W, file: &str, options: WriterOptions) -> Self {
        let stats = (options.stats == StatsMode::Keep).then(Stats::default);
        Self {
            sink: BufWriter::with_capacity(BUFFER, sink),
            file: file.into(),
            options,
            data: 0,
            synced: 0,
            keys: 0,
            blocks: 0,
            times: None,
            record: Pending::default(),
            stats,
            encoded: Vec::new(),
        }
    }

    /// Bytes of the file if it were finished now; 0 without blocks.
    ///
    /// `InfluxDB` compares its limit with a little less: it leaves out the footer and a byte for each key.
    pub fn size(&self) -> u64 {
        if self.data == 0 {
            return 0;
        }
        self.data + self.seal_len() + self.options.index.len() + self.record.len() + FOOTER_LEN
    }

    /// Writes no seal: what is known of the keys is not worth one.
    pub(crate) fn unseal(&mut self) {
        self.options.seal = IndexSeal::None;
    }

    /// Writes a block as it is. `times` are those of its first and last point.
    pub fn write_block(&mut self, key: &[u8], times: TimeRange, block: SealedBlock<'_>) -> Result<Room> {
        let offset = self.data.max(HEADER_LEN);
        let (kind, size) = self.check(key, times, block).map_err(|refusal| self.refuse(key, refusal))?;
        self.open_record(key, kind)?;
        self.put(block).map_err(|error| At::file(&self.file).key(key).offset(offset).io("write", error))?;
        self.record.entries.push(Entry { times, offset, size });
        self.blocks += 1;
        self.times = Some(self.times.map_or(times, |all| all.hull(times)));
        if let Some(stats) = &mut self.stats {
            stats.add(key, u64::from(size));
        }
        Ok(self.room())
    }

    /// Encodes sorted points and writes them as a block.
    pub fn write_points(&mut self, key: &[u8], points: Points<'_>, encoder: &mut Encoder) -> Result<Room> {
        let times = points.time_range().ok_or_else(|| self.refuse(key, Refusal::NoPoints))?;
        let mut encoded = std::mem::take(&mut self.encoded);
        encoded.clear();
        let outcome = match encoder.encode(points, &mut encoded) {
            Ok(()) => self.write_block(key, times, SealedBlock::seal(&encoded)),
            Err(refusal) => Err(self.refuse(key, refusal)),
        };
        self.encoded = encoded;
        outcome
    }

    /// Writes index and footer and syncs. `None` if there was no block; then nothing was written at all.
    pub fn finish(mut self) -> Result<Option<Finished<W>>> {
        let Some(times) = self.times else { return Ok(None) };
        self.close_record()?;
        let file_bytes = self.size();
        self.put_index().map_err(|error| At::file(&self.file).io("write", error))?;
        let Self { sink, file, keys, blocks, stats, .. } = self;
        let sink = sink.into_inner().map_err(io::IntoInnerError::into_error);
        let mut sink = sink.map_err(|error| At::file(&file).io("write", error))?;
        sink.sync().map_err(|error| At::file(&file).io("sync", error))?;
        Ok(Some(Finished { sink, file_bytes, keys, blocks, times, stats }))
    }

    /// Type and size of a block that fits.
    fn check(
        &self,
        key: &[u8],
        times: TimeRange,
        block: SealedBlock<'_>,
    ) -> Result<(BlockType, u32), Refusal> {
        if key.len() > KEY_LEN_MAX {
            return Err(Refusal::KeyTooLong { len: key.len() });
        }
        let kind = block.bytes().first().and_then(|byte| BlockType::of(*byte).ok());
        let kind = kind.ok_or(Refusal::NotABlock)?;
        let bytes = block.bytes().len();
        let size = u32::try_from(bytes + CRC_LEN).map_err(|_| Refusal::BlockTooLarge { bytes })?;
        if times.is_empty() {
            return Err(Refusal::TimesReversed { min: times.min, max: times.max });
        }
        self.record.check(key, kind, times, self.options.order)?;
        Ok((kind, size))
    }

    fn refuse(&self, key: &[u8], refusal: Refusal) -> Error {
        At::file(&self.file).key(key).refused(refusal)
    }

    /// Makes the record under way that of `key`.
    fn open_record(&mut self, key: &[u8], kind: BlockType) -> Result<()> {
        if self.record.kind.is_none() || self.record.key != key {
            self.close_record()?;
            self.record.key.clear();
            self.record.key.extend_from_slice(key);
            self.record.kind = Some(kind);
            self.keys += 1;
        }
        Ok(())
    }

    fn close_record(&mut self) -> Result<()> {
        let Some(kind) = self.record.kind.take() else { return Ok(()) };
        let record = self.record.encoded(kind);
        self.options.index.push(record).map_err(|error| At::file(&self.file).io("buffer the index of", error))
    }

    fn put(&mut self, block: SealedBlock<'_>) -> io::Result<()> {
        if self.data == 0 {
            self.sink.write_all(&MAGIC.to_be_bytes())?;
            self.sink.write_all(&[VERSION])?;
            self.data = HEADER_LEN;
        }
        self.sink.write_all(&block.crc().to_be_bytes())?;
        self.sink.write_all(block.bytes())?;
        self.data += (CRC_LEN + block.bytes().len()) as u64;
        if self.data - self.synced > self.options.sync_every {
            self.sink.flush()?;
            self.sink.get_mut().sync()?;
            self.synced = self.data;
        }
        Ok(())
    }

    fn put_index(&mut self) -> io::Result<()> {
        let footer = (self.data + self.seal_len()).to_be_bytes();
        if self.options.seal == IndexSeal::Crc {
            self.sink.write_all(&seal::bytes(self.options.index.crc_with(&footer)))?;
        }
        self.options.index.copy_to(&mut self.sink)?;
        self.sink.write_all(&footer)
    }

    fn seal_len(&self) -> u64 {
        if self.options.seal == IndexSeal::Crc { SEAL_LEN } else { 0 }
    }

    fn room(&self) -> Room {
        match self.record.entries.len() {
            _ if self.size() > self.options.file_bytes_max => Room::FileFull,
            BLOCKS_PER_KEY_MAX => Room::KeyFull,
            _ => Room::More,
        }
    }
}

impl Pending {
    /// Bytes in the index.
    fn len(&self) -> u64 {
        let entries = (self.entries.len() * ENTRY_LEN) as u64;
        if self.kind.is_some() { (RECORD_LEN + self.key.len()) as u64 + entries } else { 0 }
    }

    /// Whether a block of `key` may follow.
    fn check(
        &self,
        key: &[u8],
        block: BlockType,
        times: TimeRange,
        order: BlockOrder,
    ) -> Result<(), Refusal> {
        let Some(kind) = self.kind else { return Ok(()) };
        match key.cmp(&self.key) {
            Ordering::Greater => return Ok(()),
            Ordering::Less => return Err(Refusal::KeyOrder { previous: shown(&self.key) }),
            Ordering::Equal => {}
        }
        if block != kind {
            return Err(Refusal::MixedTypes { key: kind, block });
        }
        if self.entries.len() == BLOCKS_PER_KEY_MAX {
            return Err(Refusal::TooManyBlocks);
        }
        match self.entries.last().map(|entry| entry.times.max) {
            Some(previous) if order == BlockOrder::Disjoint && times.min <= previous => {
                Err(Refusal::BlockOrder { min: times.min, previous })
            }
            _ => Ok(()),
        }
    }

    /// The record's bytes; empties the entries.
    fn encoded(&mut self, kind: BlockType) -> &[u8] {
        if !self.entries.is_sorted_by_key(|entry| entry.times.min) {
            self.entries.sort_by_key(|entry| entry.times.min);
        }
        let number = |count: usize| u16::try_from(count).expect("checked before").to_be_bytes();
        self.bytes.clear();
        self.bytes.extend_from_slice(&number(self.key.len()));
        self.bytes.extend_from_slice(&self.key);
        self.bytes.push(kind.byte());
        self.bytes.extend_from_slice(&number(self.entries.len()));
        self.entries.iter().for_each(|entry| entry.write(&mut self.bytes));
        self.entries.clear();
        &self.bytes
    }
}
