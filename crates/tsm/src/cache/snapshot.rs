//! A snapshot: what the cache held, on its way into files.

use std::sync::Arc;

use super::Cache;
use super::ring::{PARTS, Ring};
use crate::layout::POINTS_PER_BLOCK;
use crate::writer::{Room, Sink, TsmWriter};
use crate::{Column, Encoder, Encoding, Result};

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

/// The keys of one split, and how far they are written.
pub struct SortedKeys {
    ring: Arc<Ring>,
    keys: Vec<Box<[u8]>>,
    /// The next key.
    at: usize,
    /// The last time of it that is written. A place would not do: points may be deleted meanwhile.
    written: Option<i64>,
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
        let split = |split| {
            let keys = self.ring.keys_of((split..PARTS).step_by(count));
            let encoder = Encoder::new(Encoding::SNAPSHOT);
            SortedKeys { ring: Arc::clone(&self.ring), keys, at: 0, written: None, encoder }
        };
        (0..count).map(split).filter(|split| !split.keys.is_empty()).collect()
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
    /// Writes blocks of at most 1000 points until the file is full or nothing is left.
    pub fn write_to<W: Sink>(&mut self, writer: &mut TsmWriter<W>) -> Result<SnapshotFile> {
        while let Some(key) = self.keys.get(self.at) {
            // Gone if it was deleted since the snapshot began.
            if let Some(column) = self.ring.read(key) {
                let (written, encoder) = (&mut self.written, &mut self.encoder);
                if write_blocks(writer, key, &column, written, encoder)? == SnapshotFile::Full {
                    return Ok(SnapshotFile::Full);
                }
            }
            (self.at, self.written) = (self.at + 1, None);
        }
        Ok(SnapshotFile::Done)
    }
}

fn write_blocks<W: Sink>(
    writer: &mut TsmWriter<W>,
    key: &[u8],
    column: &Column,
    written: &mut Option<i64>,
    encoder: &mut Encoder,
) -> Result<SnapshotFile> {
    let behind = |time: &i64| written.is_some_and(|written| *time <= written);
    let mut from = column.times().partition_point(behind);
    while from < column.len() {
        let to = column.len().min(from + POINTS_PER_BLOCK);
        let room = writer.write_points(key, column.slice(from..to), encoder)?;
        *written = column.times()[from..to].last().copied();
        from = to;
        if room != Room::More {
            return Ok(SnapshotFile::Full);
        }
    }
    Ok(SnapshotFile::Done)
}
