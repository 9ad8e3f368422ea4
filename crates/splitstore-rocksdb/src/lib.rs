//! Hot tier on RocksDB.
//!
//! ```text
//!   key     multihash of the block          1e|20|digest... as splitstore_domain::BlockKey
//!   value   codec varint | data             see splitstore_domain::record
//!   notes   behind all multihashes          see splitstore_domain::note
//! ```
//! One column family, keys in byte order. Every write goes through the write-ahead log, none is synced by
//! itself: a killed process loses nothing that returned, a power cut loses whole batches from the end up to the
//! last `sync`. RocksDB checks a checksum on every page it reads, so damage is reported, never returned;
//! what else is in the page is salvaged if it hashes to its CID (`salvage.rs`).
//!
//! Values stay in the tables (no blob files): on chain data they lose on everything but misses. Filters exist
//! on all levels, the last one too: every read that misses hot asks here first.
//!
//! Start at [`RocksHot::open`].

mod hot;
pub use hot::RocksHot;
mod options;
pub use options::{Compression, RocksOptions};
mod block_scan;
mod error;
mod folder;
mod log_format;
mod maintenance;
mod manifest;
pub use manifest::cut_files;
mod notes;
mod page;
mod read;
mod rescue;
pub use rescue::Rescued;
mod rewrite;
mod room;
mod salvage;
mod scan;
mod write;
