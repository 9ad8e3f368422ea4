//! All blocks of a store, whole, in key order, from one moment.
//!
//! ```text
//!   snapshot   |..........................................|   ascending keys
//!   ranges     |    1    |    2     |    3     |    4     |   each may be scanned by a thread of its own
//! ```
//! Reading everything in order costs an engine a fraction of reading as much block by block, which is what makes
//! marking by scan worth it. A tier that can do it says so ([`crate::HotStore::block_scan`]).

use std::ops::ControlFlow;

use splitstore_domain::BlockKey;

use crate::Result;

/// Keys from `from` (included; `None` from the first) to `to` (excluded; `None` to the last), as their bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyRange {
    /// The first bytes inside.
    pub from: Option<Vec<u8>>,
    /// The first bytes after it.
    pub to: Option<Vec<u8>>,
}

/// One block of a scan, in the engine's own memory.
#[derive(Debug, Clone, Copy)]
pub struct ScannedBlock<'a> {
    /// Its key.
    pub key: &'a BlockKey,
    /// The codec it was put under.
    pub codec: u64,
    /// Its data.
    pub data: &'a [u8],
}

/// What a scan does with each block; `Break` ends it.
pub type OnBlock<'a> = &'a mut dyn FnMut(&ScannedBlock<'_>) -> ControlFlow<()>;

/// Scanning whole blocks.
///
/// **Contract.** A snapshot holds the blocks that were there when it was made, whatever is put or deleted
/// afterwards.
/// **Concurrency.** Snapshots block neither readers nor writers. One MAY pin disk space, so callers drop it soon.
/// **Who calls it.** Marking by scan, and the collection that follows it.
pub trait BlockScan: Send + Sync {
    /// This moment.
    fn snapshot(&self) -> Result<Box<dyn BlockSnapshot + '_>>;
}

/// The blocks of one moment.
///
/// **Concurrency.** Any number of scans at a time, from any number of threads.
pub trait BlockSnapshot: Send + Sync {
    /// About how many blocks it holds; a hint.
    fn estimated_len(&self) -> Result<u64>;

    /// Ranges of about equal size that hold every key once, in ascending order: `parts` of them, or fewer.
    fn ranges(&self, parts: usize) -> Result<Vec<KeyRange>>;

    /// Shows every block of a range once, in ascending order of the key's bytes, without a copy where the engine
    /// can, and without pushing out what reads have cached.
    ///
    /// **Errors.** A damaged record is `Corrupt`; the scan does not skip it.
    fn scan(&self, range: &KeyRange, on_block: OnBlock<'_>) -> Result<()>;

    /// Says that a range will soon be scanned whole, so that a tier on a disk can begin to read it. A hint: by default nothing
    /// happens, and what goes wrong shows when the range is scanned.
    fn expect(&self, _range: &KeyRange) {}

    /// Shows blocks from `from` to the end, for a caller who soon breaks off: nothing is read ahead.
    fn look(&self, from: &[u8], on_block: OnBlock<'_>) -> Result<()> {
        self.scan(&KeyRange { from: Some(from.to_vec()), to: None }, on_block)
    }
}
