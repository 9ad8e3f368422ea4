//! `InfluxDB` TSM files: read, write, verify.
//!
//! ```text
//!   file        reader -> cursor (key, entries) -> read_block: checksum checked  -> SealedBlock
//!   block       SealedBlock -> Block (type, sections) -> Decoder -> Column (timestamps, values)
//!   and back    Column -> Encoder -> bytes -> SealedBlock -> writer
//! ```
//! The formats are drawn byte by byte in `docs/tsm-format.md`, and in the heads of `layout.rs`, `block.rs` and the
//! folders of `encoding`. What compaction needs stands out:
//!
//! - A block is passed through by giving what `read_block` gave to `write_block`: no decoding, and a checksum that
//!   was checked and is not computed anew.
//! - Memory is bounded by [`Limits`] for a block, by what [`IndexBuffer`] says for an index, and by a window of
//!   16 KiB for each cursor. Nothing is allocated per point.
//! - No bytes make it panic. Every error names the file, and key and offset where there are any.
//!
//! Invariants: a writer writes keys ascending and blocks of a key ascending and apart; a file without blocks is
//! no file. What it does not do: order files, merge, delete files.
//!
//! ```
//! use std::sync::Arc;
//! use tsm::{BlockType, Column, Decoder, Encoder, Encoding, Limits, TsmReader, TsmWriter, Values};
//!
//! let column = Column::new(vec![10, 20, 30], Values::Float(vec![1.5, 1.5, 2.0]))?;
//! let mut writer = TsmWriter::new(Vec::new(), "000000001-000000001.tsm", Default::default());
//! let _ = writer.write_points(b"cpu,host=a#!~#load", column.points(), &mut Encoder::new(Encoding::SNAPSHOT))?;
//! let file = writer.finish()?.expect("a block was written");
//!
//! let reader = TsmReader::new(Arc::new(file.sink), "000000001-000000001.tsm", Limits::default())?;
//! let (mut cursor, mut buffer, mut points) = (reader.cursor(), Vec::new(), Column::empty(BlockType::Float));
//! while cursor.advance()? {
//!     for entry in cursor.entries() {
//!         let block = reader.read_block(cursor.key(), cursor.kind()?, entry, &mut buffer)?;
//!         Decoder::default().decode(&block.parse()?, &mut points)?;
//!         assert_eq!(points, column);
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod layout;
pub mod line;
pub mod name;

mod reader;
pub use reader::{Record, Summary, TsmReader};
mod cursor;
pub use cursor::IndexCursor;
mod entry;
pub use entry::Entry;
pub use segment_compaction::ReadAt;
mod limits;
pub use limits::Limits;

mod writer;
pub use writer::{BlockOrder, Finished, Room, Sink, StatsMode, TsmWriter, WriterOptions};
mod index_buffer;
pub use index_buffer::{INDEX_MEMORY, IndexBuffer, Spill};
mod stats;
pub use stats::{Stats, measurement};

mod seal;
pub use seal::{IndexSeal, SealState};
pub mod tombstone;
pub use tombstone::{Tombstone, Tombstones};
mod repair;
pub use repair::{Quarantine, Repaired, repair};
pub mod verify;

mod block;
pub use block::{Block, BlockType, SealedBlock};
mod codec;
pub use codec::{Decoder, Encoder};
pub mod encoding;
pub use encoding::{Encoding, Family, Nans};

mod merge;
pub use merge::{Merge, MergeInput, MergeMode, MergeOptions, MergedBlock, Tally};

mod segments;
pub use segments::{TsmFormat, TsmMerger, TsmOptions, TsmSegmentWriter};

mod cache;
pub use cache::{
    Cache, CacheError, LatencyMeter, Snapshot, SnapshotFile, SnapshotPlan, SortedKeys, Throttled,
};

mod column;
pub use column::{Column, Points};
mod strings;
pub use strings::{Strings, StringsRef};
mod time_range;
pub use time_range::TimeRange;
mod typed;
pub use typed::TypedValues;
mod values;
pub use values::{Values, ValuesRef};

mod error;
pub use error::{At, Error, IoKind, Result, shown};
mod fault;
pub use fault::Fault;
mod refusal;
pub use refusal::Refusal;
