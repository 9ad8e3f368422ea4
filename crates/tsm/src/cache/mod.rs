//! The cache: writes wait here until a snapshot turns them into level-1 files.
//!
//! ```text
//!   write(key, points) --xxh3(key) mod 16--> ring   [0][1][2] .. [15]     key -> column, in order of arrival
//!                                             |
//!   snapshot()   swaps the ring for an empty one; what is swapped out is still read
//!                                             |
//!                                          Snapshot --split i mod n--> one file of level 1 for each split
//!                                             |
//!                     dropped: its points go below those written since      cleared: they are in files
//! ```
//! Invariants: a point that was written is found until a snapshot that holds it was cleared; of one time the value
//! written last wins, whether it is in the cache or in its snapshot; there is one snapshot at a time.
//!
//! What could never be written to a file is refused on arrival, where the writer can still be told: keys of more
//! than 65,535 bytes, NaN, another type than the key has. (`InfluxDB` takes them and then fails each snapshot.)
//!
//! Memory: what `bytes_max` says, as counted by [`Cache::bytes`] (8 bytes a timestamp, the values, each key once),
//! and what writers that arrive at the same moment add.

mod entry;
mod ring;
mod snapshot;
mod throttle;

use std::sync::Arc;

use parking_lot::RwLock;
use thiserror::Error;

pub use snapshot::{Snapshot, SnapshotFile, SortedKeys};
pub use throttle::{LatencyMeter, SnapshotPlan, Throttled};

use crate::layout::KEY_LEN_MAX;
use crate::{At, BlockType, Column, Error, Points, Refusal, TimeRange, ValuesRef};
use ring::Ring;

/// Why the cache does not take points.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CacheError {
    /// It holds as much as it may. A snapshot makes room.
    #[error("the cache is full: {bytes} bytes, {more} more would exceed its limit of {limit}")]
    Full {
        /// What it holds.
        bytes: u64,
        /// What was to be added.
        more: u64,
        /// What it may hold.
        limit: u64,
    },
    /// The points could never be written to a file.
    #[error(transparent)]
    Refused(#[from] Error),
    /// One snapshot at a time.
    #[error("a snapshot is under way")]
    SnapshotUnderWay,
}

/// Points that are not in a file yet.
pub struct Cache {
    bytes_max: u64,
    state: RwLock<State>,
}

/// What is swapped by a snapshot, in one step.
struct State {
    /// Takes writes.
    live: Arc<Ring>,
    /// Is being written to files.
    frozen: Option<Arc<Ring>>,
}

impl Cache {
    /// An empty cache that holds `bytes_max` at most.
    pub fn new(bytes_max: u64) -> Self {
        Self { bytes_max, state: RwLock::new(State { live: Arc::default(), frozen: None }) }
    }

    /// Takes points of a key, in any order.
    pub fn write(&self, key: &[u8], points: Points<'_>) -> Result<(), CacheError> {
        check(key, points).map_err(|refusal| refused(key, refusal))?;
        let more = entry::bytes_of(points);
        // Shared while writing, so that no snapshot swaps the ring away under a write that it would not see.
        let state = self.state.read();
        let bytes = state.bytes();
        if bytes.saturating_add(more) > self.bytes_max {
            return Err(CacheError::Full { bytes, more, limit: self.bytes_max });
        }
        if let Some(kind) = state.frozen.as_ref().and_then(|frozen| frozen.kind(key)) {
            same_type(key, kind, points)?;
        }
        state.live.write(key, points).map_err(|refusal| refused(key, refusal))
    }

    /// The points of a key in a range of times, sorted, each time once.
    pub fn read(&self, key: &[u8], times: TimeRange) -> Option<Column> {
        let (live, frozen) = self.rings();
        let older = frozen.and_then(|frozen| frozen.read(key));
        let mut all = match (older, live.read(key)) {
            (Some(mut older), Some(newer)) => {
                older.extend_from(&newer, 0..newer.len());
                older.sort_and_dedup();
                older
            }
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => return None,
        };
        all.keep_times(times);
        (!all.is_empty()).then_some(all)
    }

    /// Deletes the points of a key in a range of times.
    ///
    /// What a snapshot under way holds is deleted there too; if its file may be written already, the caller writes
    /// a tombstone for it.
    pub fn delete(&self, key: &[u8], times: TimeRange) {
        let state = self.state.read();
        state.live.delete(key, times);
        if let Some(frozen) = &state.frozen {
            frozen.delete(key, times);
        }
    }

    /// Takes everything out, to be written to files.
    pub fn snapshot(&self) -> Result<Snapshot<'_>, CacheError> {
        let mut state = self.state.write();
        if state.frozen.is_some() {
            return Err(CacheError::SnapshotUnderWay);
        }
        let ring = std::mem::take(&mut state.live);
        state.frozen = Some(Arc::clone(&ring));
        Ok(Snapshot::new(self, ring))
    }

    /// Bytes held, a snapshot under way included.
    pub fn bytes(&self) -> u64 {
        self.state.read().bytes()
    }

    /// Keys that were written since the last snapshot.
    pub fn keys(&self) -> usize {
        self.rings().0.keys()
    }

    /// Ends a snapshot: its points are in files.
    fn clear(&self) {
        self.state.write().frozen = None;
    }

    /// Ends a snapshot that failed: its points go back, older than all that was written since.
    fn give_back(&self) {
        let mut state = self.state.write();
        if let Some(frozen) = state.frozen.take() {
            frozen.extend(&state.live);
            state.live = frozen;
        }
    }

    fn rings(&self) -> (Arc<Ring>, Option<Arc<Ring>>) {
        let state = self.state.read();
        (Arc::clone(&state.live), state.frozen.clone())
    }
}

impl State {
    fn bytes(&self) -> u64 {
        self.live.bytes() + self.frozen.as_ref().map_or(0, |frozen| frozen.bytes())
    }
}

/// What no file can hold.
fn check(key: &[u8], points: Points<'_>) -> Result<(), Refusal> {
    if key.len() > KEY_LEN_MAX {
        return Err(Refusal::KeyTooLong { len: key.len() });
    }
    let (times, values) = (points.times.len(), points.values.len());
    if times != values {
        return Err(Refusal::CountMismatch { times, values });
    }
    if times == 0 {
        return Err(Refusal::NoPoints);
    }
    let ValuesRef::Float(floats) = points.values else { return Ok(()) };
    match floats.iter().position(|value| value.is_nan()) {
        Some(index) => Err(Refusal::Nan { index, bits: floats[index].to_bits() }),
        None => Ok(()),
    }
}

fn same_type(key: &[u8], kind: BlockType, points: Points<'_>) -> Result<(), CacheError> {
    let block = points.values.kind();
    if block == kind { Ok(()) } else { Err(refused(key, Refusal::MixedTypes { key: kind, block })) }
}

fn refused(key: &[u8], refusal: Refusal) -> CacheError {
    At::file(&"the cache".into()).key(key).refused(refusal).into()
}
