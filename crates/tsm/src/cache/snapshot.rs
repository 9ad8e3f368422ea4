//! A snapshot: what the cache held, on its way into files.

use std::ops::Range;
use std::sync::Arc;

use super::Cache;
use super::ring::{PARTS, Ring};
use crate::layout::POINTS_PER_BLOCK;
use crate::writer::{Room, Sink, TsmWriter};
use crate::{BlockType, Column, Encoder, Encoding, Result};

/// Everything that was in the cache. Dropping it without [`Snapshot::clear`] gives the points back, to be part of
/// the next one.
#[must_use]
pub struct Snapshot<'a> {
    cache: &'a Cache,
    ring: Arc<Ring>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    UnderWay,
    Cleared,
}

/// The points of one split: keys ascending, each in blocks of at most 1000 points.
pub struct SortedKeys {
    ring: Arc<Ring>,
    keys: std::vec::IntoIter<Box<[u8]>>,
    key: Box<[u8]>,
    /// All points of the key, as they were when it was reached.
    column: Column,
    /// Which of them are the block.
    block: Range<usize>,
    encoder: Encoder,
}

/// Why writing into one file ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnapshotFile {
    /// The file is full: go on in another.
    Full,
    /// Everything is written.
    Done,
}

impl<'a> Snapshot<'a> {
    pub(super) fn new(cache: &'a Cache, ring: Arc<Ring>) -> Self {
        Self { cache, ring, state: State::UnderWay }
    }

    /// How many keys.
    pub fn keys(&self) -> usize {
        self.ring.keys()
    }

    /// Parts it for as many files to be written at the same time; no two of them have a key in common.
    pub fn splits(&self, count: usize) -> Vec<SortedKeys> {
        let count = count.clamp(1, PARTS);
        let split = |split| SortedKeys::new(&self.ring, self.ring.keys_of((split..PARTS).step_by(count)));
        (0..count).map(split).filter(|split| split.keys.len() > 0).collect()
    }

    /// All files are durable: the cache lets go of the points.
    pub fn clear(mut self) {
        self.state = State::Cleared;
        self.cache.clear();
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        if self.state == State::UnderWay {
            self.cache.give_back();
        }
    }
}

impl SortedKeys {
    fn new(ring: &Arc<Ring>, keys: Vec<Box<[u8]>>) -> Self {
        Self {
            ring: Arc::clone(ring),
            keys: keys.into_iter(),
            key: Box::default(),
            column: Column::empty(BlockType::Float),
            block: 0..0,
            encoder: Encoder::new(Encoding::SNAPSHOT),
        }
    }

    /// Goes to the next block; `false` after the last.
    pub fn advance(&mut self) -> bool {
        self.block = self.block.end..self.column.len().min(self.block.end + POINTS_PER_BLOCK);
        while self.block.is_empty() {
            let Some(key) = self.keys.next() else { return false };
            // Gone if it was deleted since the snapshot began.
            if let Some(column) = self.ring.read(&key) {
                self.block = 0..column.len().min(POINTS_PER_BLOCK);
                (self.key, self.column) = (key, column);
            }
        }
        true
    }

    /// Writes the block.
    pub fn write<W: Sink>(&mut self, writer: &mut TsmWriter<W>) -> Result<Room> {
        writer.write_points(&self.key, self.column.slice(self.block.clone()), &mut self.encoder)
    }

    /// Writes blocks until the file is full or nothing is left.
    pub fn write_to<W: Sink>(&mut self, writer: &mut TsmWriter<W>) -> Result<SnapshotFile> {
        while self.advance() {
            if self.write(writer)? != Room::More {
                return Ok(SnapshotFile::Full);
            }
        }
        Ok(SnapshotFile::Done)
    }
}
