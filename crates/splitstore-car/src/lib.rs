//! CARv1, CARv2 and zstd archives: streaming, verified, bounded.
//!
//! [`CarReader`] takes any of the forms below, told apart by their bytes and never by a file name;
//! [`CarWriter`] writes `CARv1`. Both work in one pass and hold one block at a time.
//!
//! `CARv1` (varints are unsigned LEB128, minimal, at most 9 bytes):
//!
//! ```text
//!   header                                      section, repeated up to the end of the bytes
//!   +--------+--------------------------------+ +--------+-----+-----------------------------+ +--
//!   | varint | DAG-CBOR                       | | varint | CID | data                        | | ..
//!   | length | {roots: [CID..], version: 1}   | | length |     | (length - bytes of the CID) | |
//!   +--------+--------------------------------+ +--------+-----+-----------------------------+ +--
//! ```
//!
//! `CARv2` (integers little-endian; offsets count from the pragma):
//!
//! ```text
//!   0          11                  27            35          43             51
//!   +----------+-------------------+-------------+-----------+--------------+- - -+-------+- - -+-------+
//!   | pragma   | characteristics   | data offset | data size | index offset | pad | CARv1 | pad | index |
//!   | 0a a1 .. | 16 bytes          | u64         | u64       | u64, 0: none |     |       |     |       |
//!   +----------+-------------------+-------------+-----------+--------------+- - -+-------+- - -+-------+
//!                                                read: exactly `data size` bytes  ^-----^  then stop
//! ```
//!
//! zstd around either, as one frame, many frames, or framed with an index as Forest writes it:
//!
//! ```text
//!   28 b5 2f fd     28 b5 2f fd            28 b5 2f fd      5? 2a 4d 18 + u32 length
//!   +-------------+ +-------------+        +-------------+  +-----------------+ +-----------------+
//!   | zstd frame: | | zstd frame: |   ..   | zstd frame: |  | skippable frame:| | skippable frame:|
//!   | header      | | sections    |        | sections    |  | index           | | footer          |
//!   +-------------+ +-------------+        +-------------+  +-----------------+ +-----------------+
//!   frames concatenate to one CAR stream; skippable frames are passed over wherever they stand
//! ```
//!
//! Invariants:
//! - Every block handed out hashes to its CID (unless [`HashCheck::Trust`] was asked for).
//! - What is handed out before an error is a prefix of the archive's sections; bytes that stop anywhere
//!   but at a section boundary are an error, never a short answer.
//! - In a `CARv2` nothing after the payload is read: damage to the index (or, inside zstd, to what comes after
//!   the payload, the frame's checksum included) goes unseen; each block is still checked by its hash.
//! - Memory is bounded by [`Limits`], whatever lengths the bytes claim: buffers grow with bytes that arrived.
//! - Offsets (in errors and blocks) count bytes of the *uncompressed* CAR stream, the `CARv2` header included.
//!
//! What it does not do: seek, use an index, write `CARv2` or zstd, pad with null sections.
//!
//! Start at `reader.rs`.
//!
//! ```
//! use splitstore_car::{CarReader, CarWriter, Limits};
//!
//! let cid: cid::Cid = "bafkqaaa".parse()?; // identity of nothing
//! let mut writer = CarWriter::new(Vec::new(), &[cid])?;
//! writer.write_block(&cid, b"")?;
//! let bytes = writer.finish()?;
//!
//! let mut reader = CarReader::new(std::io::Cursor::new(bytes), "example.car", Limits::default())?;
//! assert_eq!(reader.roots(), [cid]);
//! assert_eq!(reader.next_block()?.map(|block| block.cid), Some(cid));
//! assert!(reader.next_block()?.is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod reader;

mod block;
mod cbor;
mod cid_bytes;
mod error;
mod format;
mod header;
mod input;
mod limits;
mod payload;
mod source;
mod stream;
mod varint;
mod writer;
mod zstd_frames;

pub use block::CarBlock;
pub use error::{At, CarError, Result};
pub use format::{Compression, Format, Version};
pub use limits::Limits;
pub use reader::{CarReader, HashCheck};
pub use varint::VarintFault;
pub use writer::CarWriter;
