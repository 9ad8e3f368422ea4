//! The format port: all that compaction asks of what is inside a segment.
//!
//! ```text
//!   inputs, oldest first      merger                writer -> Output -> throttle -> FILE.N.tmp
//!   +-----+ +-----+ +-----+   advance: next block   write: one block
//!   | 1-1 | | 2-1 | | 3-1 | ->        ...         -> room?  -- closed, or too large -> finish, next output
//!   +-----+ +-----+ +-----+   advance: no more      finish -> sync -> verify -> install
//! ```
//! Nothing here knows what a key, a time or a block is: a format may hold time series, where the newest of two
//! equal points wins, or opaque blocks by key, where two equal keys are the same block.

use std::fmt;

use crate::error::FormatError;
use crate::interrupt::Cancel;
use crate::naming::Naming;
use crate::output::Output;
use crate::segment::Segment;
use crate::stats::SegmentStats;

/// A format of segments.
///
/// **Contract.** The *content* of a list of segments in order is what a reader of all of them sees, the newer one
/// winning where two disagree. A merge of adjacent segments has the content of its inputs. What is deleted in a
/// segment (its tombstones) concerns that segment alone: it never hides data of another, so that any subset of the
/// inputs beside the output has the content of the output. A merge of everything deleted writes nothing.
/// **Durability.** None of its own: the compactor syncs what was written through [`Output`].
/// **Concurrency.** Many merges at once, of disjoint inputs.
/// **Errors.** [`FormatError`] names the segment at fault where there is one; inputs are never written to.
/// **Who calls it.** The listing (`stats`), the compactor (all others).
pub trait SegmentFormat: Send + Sync {
    /// Merges inputs into blocks.
    type Merger: Merger<Writer = Self::Writer>;
    /// Writes blocks into one segment.
    type Writer: SegmentWriter;

    /// How its files are named.
    fn naming(&self) -> Naming;

    /// What the index of a segment says, all of it. Sidecars with deletions are looked at too.
    fn stats(&self, segment: &Segment) -> Result<SegmentStats, FormatError>;

    /// A merge of adjacent segments, given oldest first. It looks at `cancel` at least once per block.
    fn merger(
        &self,
        inputs: &[Segment],
        mode: MergeMode,
        cancel: &Cancel,
    ) -> Result<Self::Merger, FormatError>;

    /// A writer of one new segment.
    fn writer(&self, output: Output) -> Result<Self::Writer, FormatError>;

    /// Reads a finished segment from its file as strictly as the format can: every checksum, the order of keys,
    /// the truth of the index. Inputs are removed on the strength of this.
    fn verify(&self, segment: &Segment, cancel: &Cancel) -> Result<SegmentStats, FormatError>;

    /// Upper bound for the bytes that a merge will write; what is checked against free space before it starts.
    fn estimate(&self, inputs: &[SegmentStats]) -> u64 {
        inputs.iter().map(|stats| stats.bytes).fold(0, u64::saturating_add)
    }
}

/// A merge under way.
pub trait Merger: Send {
    /// What its blocks are written with.
    type Writer: SegmentWriter;

    /// Makes the next block ready; `false` when there is none. After `false` it is not called again.
    fn advance(&mut self) -> Result<bool, FormatError>;

    /// Writes the block that is ready. Called once after each `advance` that said `true`.
    fn write(&mut self, writer: &mut Self::Writer) -> Result<(), FormatError>;
}

/// One new segment being written.
pub trait SegmentWriter: Send {
    /// Bytes of the segment if it were finished now, never more than it will have.
    fn bytes(&self) -> u64;

    /// Whether another block may be written.
    fn room(&self) -> Room;

    /// Writes what is left (an index, a footer) and gives the output back. Called after at least one block.
    fn finish(self) -> Result<Output, FormatError>;
}

/// Whether another block fits by the format's own limits, whatever the size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Room {
    /// Another block may follow.
    #[default]
    Open,
    /// A limit of the format is reached; the next block goes into the next segment.
    Closed,
}

/// How thorough a merge is. Both give the same content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MergeMode {
    /// Takes blocks over as they are where order allows.
    Fast,
    /// Fills blocks.
    Full,
}

impl fmt::Display for MergeMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fast => "fast",
            Self::Full => "full",
        })
    }
}
