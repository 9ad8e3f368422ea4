//! Merging files: the newest value of every time, in blocks worth keeping, as a stream.
//!
//! ```text
//!   inputs, oldest first     a.tsm  b.tsm  c.tsm       each with what is deleted from it
//!                              |      |      |
//!   Merge                   least key over all index cursors
//!                              |
//!   KeyMerge (key.rs)       which blocks pass as they are, which are decoded
//!   Fold (fold.rs)          points of overlapping blocks, by (time, rank)
//!                              |
//!   MergedBlock             key, times, bytes: ready for `TsmWriter::write_block`
//! ```
//! Where `InfluxDB` differs, see `docs/tsm-merge.md`: it sorts blocks by an order that is none, lets older values win
//! when a key has many overlapping blocks, and gives damaged blocks a fresh checksum.
//!
//! Memory: per input an index window and the record of one key; the decoded blocks of one key that overlap at one
//! time; one block read, one block pending. It does not grow with the number of keys or of points.

mod deletions;
mod fold;
mod key;
mod scratch;

use std::sync::Arc;

pub use segment_compaction::MergeMode;

use segment_compaction::Cancel;

use key::{KeyMerge, Origin, Out, Source};
use scratch::Scratch;

use crate::cursor::IndexCursor;
use crate::tombstone::Tombstones;
use crate::{At, BlockType, Fault, Result, SealedBlock, TimeRange, TsmReader};

/// How to merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MergeOptions {
    /// What passes through without being decoded: in full mode full blocks that nothing overlaps (small ones are
    /// merged until they are full), in fast mode whatever nothing overlaps.
    pub mode: MergeMode,
    /// Points of an encoded block; at least 1. What passes through may hold more.
    pub points_per_block: usize,
    /// Bytes of strings in an encoded block, unless one string alone has more.
    pub string_bytes_per_block: usize,
}

impl Default for MergeOptions {
    fn default() -> Self {
        Self {
            mode: MergeMode::Full,
            points_per_block: crate::layout::POINTS_PER_BLOCK,
            string_bytes_per_block: 16 << 20,
        }
    }
}

/// A file that takes part.
#[derive(Clone)]
pub struct MergeInput {
    /// The file.
    pub reader: TsmReader,
    /// What its tombstones say.
    pub deletions: Tombstones,
}

/// A block of the output.
#[derive(Debug)]
pub struct MergedBlock<'a> {
    /// Its key; ascending from block to block.
    pub key: &'a [u8],
    /// Type of its values.
    pub kind: BlockType,
    /// First and last time.
    pub times: TimeRange,
    /// How many points it holds.
    pub points: u64,
    /// Whether it stands in one of the inputs, byte for byte.
    pub passed: bool,
    /// Its bytes and their checksum.
    pub block: SealedBlock<'a>,
}

/// What a merge has done so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Keys that had blocks left.
    pub keys: u64,
    /// Blocks that passed through.
    pub passed: u64,
    /// Blocks that were decoded.
    pub decoded: u64,
    /// Blocks that were encoded.
    pub encoded: u64,
    /// Blocks that were deleted as a whole, unread.
    pub deleted: u64,
    /// Points of the output.
    pub points: u64,
    /// Blocks whose index claimed more time than they hold; the output's index is right.
    pub mended: u64,
}

/// The merge of some files, as a stream of blocks: keys ascending, blocks of a key ascending and apart.
pub struct Merge {
    inputs: Vec<Input>,
    options: MergeOptions,
    key: Vec<u8>,
    current: Option<KeyMerge>,
    ready: Option<(BlockType, Out)>,
    scratch: Scratch,
    tally: Tally,
}

pub(crate) struct Input {
    reader: TsmReader,
    cursor: IndexCursor,
    /// Whether the cursor stands on a key.
    live: bool,
    deletions: Tombstones,
}

impl Merge {
    /// A merge of `inputs`, **oldest first**: of one time the last file's value stays.
    pub fn new(inputs: impl IntoIterator<Item = MergeInput>, options: MergeOptions) -> Result<Self> {
        let inputs = inputs.into_iter().map(|MergeInput { reader, deletions }| {
            let mut cursor = reader.cursor();
            let live = cursor.advance()?;
            Ok(Input { reader, cursor, live, deletions })
        });
        let inputs = inputs.collect::<Result<Vec<_>>>()?;
        let limits = inputs.first().map(|input| input.reader.limits()).unwrap_or_default();
        let options = MergeOptions { points_per_block: options.points_per_block.max(1), ..options };
        let scratch = Scratch::new(limits);
        let (key, tally) = (Vec::new(), Tally::default());
        Ok(Self { inputs, options, key, current: None, ready: None, scratch, tally })
    }

    /// The same merge, of the keys that come after this one. Called before the first block.
    pub fn after(mut self, key: &[u8]) -> Result<Self> {
        for input in &mut self.inputs {
            (input.cursor, input.live) = input.reader.seek(key)?;
            if input.live && input.cursor.key() == key {
                input.live = input.cursor.advance()?;
            }
        }
        Ok(self)
    }

    /// The same merge, which looks at `cancel` before each block that it reads.
    #[must_use]
    pub fn until(mut self, cancel: Cancel) -> Self {
        self.scratch.cancel = cancel;
        self
    }

    /// The next block of the output; `None` after the last.
    ///
    /// After an error the merge must not go on: what it would yield is not the content of the inputs.
    pub fn next_block(&mut self) -> Result<Option<MergedBlock<'_>>> {
        Ok(if self.advance()? { self.block() } else { None })
    }

    /// Goes to the next block of the output; `false` after the last.
    pub fn advance(&mut self) -> Result<bool> {
        self.ready = self.next_out()?;
        Ok(self.ready.is_some())
    }

    /// The block that `advance` went to.
    pub fn block(&self) -> Option<MergedBlock<'_>> {
        let (kind, Out { times, points, origin }) = self.ready?;
        let block = match origin {
            Origin::Passed => self.scratch.passed(),
            Origin::Encoded => SealedBlock::seal(self.scratch.encoded()),
        };
        Some(MergedBlock { key: &self.key, kind, times, points, passed: origin == Origin::Passed, block })
    }

    /// What was done so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    fn next_out(&mut self) -> Result<Option<(BlockType, Out)>> {
        loop {
            let Self { inputs, key, scratch, tally, .. } = self;
            if let Some(current) = &mut self.current {
                if let Some(out) = current.next(inputs, key, scratch, tally)? {
                    tally.points += out.points;
                    return Ok(Some((current.kind(), out)));
                }
                self.current = None;
            }
            if !self.open_key()? {
                return Ok(None);
            }
        }
    }

    /// Takes the least key of all inputs, and every block of it.
    fn open_key(&mut self) -> Result<bool> {
        let live = self.inputs.iter().filter(|input| input.live);
        let Some(least) = live.map(|input| input.cursor.key()).min() else { return Ok(false) };
        self.key.clear();
        self.key.extend_from_slice(least);
        let (mut sources, mut owner) = (Vec::new(), None);
        for (file, input) in self.inputs.iter_mut().enumerate() {
            if input.live && input.cursor.key() == self.key {
                same_type(&self.key, &mut owner, input)?;
                self.tally.deleted += input.take(file, &self.key, &mut sources);
                input.live = input.cursor.advance()?;
            }
        }
        let Some((kind, _)) = owner else { return Ok(false) };
        self.tally.keys += u64::from(!sources.is_empty());
        self.current = Some(KeyMerge::new(kind, sources, self.options));
        Ok(true)
    }
}

impl Input {
    pub(crate) fn reader(&self) -> &TsmReader {
        &self.reader
    }

    /// Appends the blocks under the cursor; how many of them are deleted as a whole and left out.
    fn take(&self, file: usize, key: &[u8], sources: &mut Vec<Source>) -> u64 {
        let deleted: Arc<[TimeRange]> = self.deletions.ranges(key).into();
        let all = self.cursor.entries().iter().enumerate();
        let left = all.filter(|(_, entry)| !deletions::covers(&deleted, entry.times));
        let before = sources.len();
        sources.extend(left.map(|(index, entry)| Source {
            rank: (file, index),
            entry: *entry,
            deleted: deletions::within(&deleted, entry.times),
        }));
        (self.cursor.entries().len() - (sources.len() - before)) as u64
    }
}

/// Refuses a key that has another type in another file: no file can hold both.
fn same_type(key: &[u8], owner: &mut Option<(BlockType, Arc<str>)>, input: &Input) -> Result<()> {
    let (kind, file) = (input.cursor.kind()?, input.reader.file().clone());
    match owner {
        Some((other, first)) if *other != kind => {
            let fault = Fault::TypeConflict { kind, other: *other, file: first.clone() };
            Err(At::file(&file).key(key).damaged(fault))
        }
        _ => {
            *owner = Some((kind, file));
            Ok(())
        }
    }
}
