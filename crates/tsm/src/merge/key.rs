//! The merge of one key: blocks of all files in, blocks of the output out, one at a time.
//!
//! ```text
//!   sources by start     |--a--|      |---b---|   |-c-|       |---d---|
//!                                  |-----e-----|                 alone, full
//!   what becomes of them  decoded      folded point by point      passed through, byte for byte
//!   pending               [ fills to `points_per_block`, then one block is encoded ]
//! ```
//! A source is *alone* if no other one overlaps it and nothing in it is deleted. In full mode what is alone and full
//! passes; in fast mode whatever is alone. All else is decoded, merged ([`Fold`]) and encoded anew.
//!
//! Invariants: blocks go out in order of time and do not overlap; of one time the newest value goes out.
//! A source is opened before a time that is not before its start goes out, so no older value can slip past it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::fold::{Cursor, Fold};
use super::scratch::Scratch;
use super::{Input, MergeMode, MergeOptions, Tally};
use crate::strings::Strings;
use crate::{BlockType, Column, Entry, Result, TimeRange, Values};

/// A block of one file, not read yet.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// Which writes are newer: the place of the file, then of the block in its file.
    pub(super) rank: (usize, usize),
    /// What the file's index says of it.
    pub(super) entry: Entry,
    /// Times that are deleted from it: sorted, apart.
    pub(super) deleted: Arc<[TimeRange]>,
}

/// Which buffer a block of the output is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Passed,
    Encoded,
}

/// A block of the output; its bytes are in the scratch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Out {
    pub(super) times: TimeRange,
    pub(super) points: u64,
    pub(super) origin: Origin,
}

/// The merge of one key under way.
pub(super) struct KeyMerge {
    kind: BlockType,
    options: MergeOptions,
    /// In order of their start; of those with one start the oldest first.
    sources: VecDeque<Source>,
    fold: Fold,
    /// A block that passes as soon as what comes before it is out.
    held: Option<Out>,
}

impl KeyMerge {
    pub(super) fn new(kind: BlockType, mut sources: Vec<Source>, options: MergeOptions) -> Self {
        sources.sort_unstable_by_key(|source| (source.entry.times.min, source.rank));
        Self { kind, options, sources: sources.into(), fold: Fold::default(), held: None }
    }

    pub(super) fn kind(&self) -> BlockType {
        self.kind
    }

    pub(super) fn next(
        &mut self,
        inputs: &[Input],
        key: &[u8],
        scratch: &mut Scratch,
        tally: &mut Tally,
    ) -> Result<Option<Out>> {
        let mut work = Work { inputs, key, scratch, tally };
        loop {
            if let Some(held) = self.held.take() {
                return Ok(Some(held));
            }
            if work.scratch.pending.len() >= self.options.points_per_block {
                return self.emit(&mut work).map(Some);
            }
            if !self.fold.is_empty() {
                self.fold_on(&mut work)?;
            } else if let Some(source) = self.sources.pop_front() {
                self.held = self.start(&source, &mut work)?;
                if self.held.is_some() && !work.scratch.pending.is_empty() {
                    return self.emit(&mut work).map(Some);
                }
            } else if work.scratch.pending.is_empty() {
                return Ok(None);
            } else {
                return self.emit(&mut work).map(Some);
            }
        }
    }

    /// The first block after a gap: passes, or is opened.
    fn start(&mut self, source: &Source, work: &mut Work<'_>) -> Result<Option<Out>> {
        let points = work.read(self.kind, source)?;
        if self.is_alone(source)
            && self.passes(points, work)
            && let Some(times) = work.times(source)?
        {
            work.tally.passed += 1;
            return Ok(Some(Out { times, points, origin: Origin::Passed }));
        }
        let column = work.decode(source)?;
        self.open(source, column, work);
        Ok(None)
    }

    /// Whether nothing is to be done to it but perhaps to make it larger.
    fn is_alone(&self, source: &Source) -> bool {
        let next = self.sources.front().map(|next| next.entry.times.min);
        source.deleted.is_empty() && next.is_none_or(|min| min > source.entry.times.max)
    }

    fn passes(&self, count: u64, work: &Work<'_>) -> bool {
        match self.options.mode {
            MergeMode::Fast => true,
            MergeMode::Full => {
                let no_company = self.sources.is_empty() && work.scratch.pending.is_empty();
                count >= self.options.points_per_block as u64 || no_company
            }
        }
    }

    /// Opens what starts before the next time, then moves points as far as nothing else can start before them.
    fn fold_on(&mut self, work: &mut Work<'_>) -> Result<()> {
        while let Some(next) = self.sources.front()
            && self.fold.first().is_some_and(|first| next.entry.times.min <= first)
        {
            let source = self.sources.pop_front().expect("just seen");
            work.read(self.kind, &source)?;
            let column = work.decode(&source)?;
            self.open(&source, column, work);
        }
        let bound = self.sources.front().map(|next| next.entry.times.min);
        let (enough, Scratch { pending, spent, .. }) = (self.options.points_per_block, &mut *work.scratch);
        if pending.is_empty() {
            pending.reset(self.kind);
        }
        let fold = &mut self.fold;
        match self.kind {
            BlockType::Float => fold.advance::<Vec<f64>>(pending, enough, bound, spent),
            BlockType::Integer => fold.advance::<Vec<i64>>(pending, enough, bound, spent),
            BlockType::Boolean => fold.advance::<Vec<bool>>(pending, enough, bound, spent),
            BlockType::String => fold.advance::<Strings>(pending, enough, bound, spent),
            BlockType::Unsigned => fold.advance::<Vec<u64>>(pending, enough, bound, spent),
        }
        Ok(())
    }

    fn open(&mut self, source: &Source, mut column: Column, work: &mut Work<'_>) {
        work.tally.decoded += 1;
        for range in source.deleted.iter().rev() {
            column.remove_times(*range);
        }
        let unused = self.fold.open(Cursor { column, at: 0, rank: source.rank });
        work.scratch.spent.extend(unused);
    }

    /// Encodes pending points: a full block, or what there is.
    fn emit(&self, work: &mut Work<'_>) -> Result<Out> {
        let count = self.block_len(&work.scratch.pending);
        let times = work.scratch.encode(work.key, count)?;
        work.tally.encoded += 1;
        Ok(Out { times, points: count as u64, origin: Origin::Encoded })
    }

    /// How many of the pending points make a block: strings are also limited in bytes.
    fn block_len(&self, pending: &Column) -> usize {
        let most = pending.len().min(self.options.points_per_block);
        let Values::String(strings) = pending.values() else { return most };
        let mut bytes = 0;
        let fits = strings.iter().take(most).take_while(|string| {
            bytes += string.len();
            bytes <= self.options.string_bytes_per_block
        });
        fits.count().max(1)
    }
}

/// What a step works with.
struct Work<'a> {
    inputs: &'a [Input],
    key: &'a [u8],
    scratch: &'a mut Scratch,
    tally: &'a mut Tally,
}

impl Work<'_> {
    fn read(&mut self, kind: BlockType, source: &Source) -> Result<u64> {
        self.scratch.read(self.inputs[source.rank.0].reader(), self.key, kind, source)
    }

    /// First and last time of the block that was read last, if it may stay as it is.
    fn times(&mut self, source: &Source) -> Result<Option<TimeRange>> {
        let times = self.scratch.times(self.inputs[source.rank.0].reader(), self.key, source)?;
        self.tally.mended += u64::from(times.is_some_and(|times| times != source.entry.times));
        Ok(times)
    }

    fn decode(&mut self, source: &Source) -> Result<Column> {
        let (column, times) = self.scratch.decode(self.inputs[source.rank.0].reader(), self.key, source)?;
        self.tally.mended += u64::from(times != source.entry.times);
        Ok(column)
    }
}
