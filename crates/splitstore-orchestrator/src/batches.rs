//! How much a run does at once.
//!
//! ```text
//!   mark      roots of headers                    walked together
//!   collect   scan keys                           per step; 16 times as many after a marking by scan, in transfer
//!   transfer  chunk candidates read               per step, written to cold when a batch is full
//!   purge     chunk = n x exclusive deletes       per step, a durable cursor after every so many chunks
//! ```
//! Larger steps cost fewer calls; smaller ones let a pause, a close or a writer in sooner, and repeat less after a
//! crash. The chunk is written into the list of candidates: a run is resumed with the chunks it was begun with.

use std::num::NonZeroUsize;

/// Sizes of the pieces in which a run works. Each is at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batches {
    /// Roots that a marking goes below together, about. The more, the longer are the batches that a walk reads in key
    /// order, and the more of them it holds in memory; one that keeps its marks on disk takes 512. Default: 16384.
    pub roots: NonZeroUsize,
    /// Keys of hot that collect looks at in one step. Default: 4096.
    pub scan: NonZeroUsize,
    /// Candidates in a chunk: what transfer reads, and purge deletes, in one step. Default: 1024; more than
    /// [`Batches::CHUNK_MAX`] counts as that.
    pub chunk: NonZeroUsize,
    /// Blocks that transfer writes to cold in one call, rounded up to whole chunks after a marking by walk. Default:
    /// 65536: each call is one durable commit, and pays for every page that it touches.
    pub transfer_blocks: NonZeroUsize,
    /// Bytes that transfer gathers before it writes them, rounded up likewise. Default: 64 MiB; twice as much is held
    /// in memory, as one batch is read while another is written.
    pub transfer_bytes: NonZeroUsize,
    /// Keys that purge checks and deletes while who wants to mark waits. Default: 256.
    pub exclusive: NonZeroUsize,
    /// Chunks between two durable cursors of a purge, each of which costs a sync of hot. Default: 16.
    pub cursor: NonZeroUsize,
}

impl Batches {
    /// A chunk has to fit into one record of the list of candidates.
    pub const CHUNK_MAX: usize = 32 * 1024;
}

impl Default for Batches {
    fn default() -> Self {
        let size = |size| NonZeroUsize::new(size).expect("no default is zero");
        Self {
            roots: size(16 * 1024),
            scan: size(4096),
            chunk: size(1024),
            transfer_blocks: size(64 * 1024),
            transfer_bytes: size(64 << 20),
            exclusive: size(256),
            cursor: size(16),
        }
    }
}
