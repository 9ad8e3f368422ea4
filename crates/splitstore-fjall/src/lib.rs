//! Hot tier on fjall: pure Rust, no C++ tool chain.
//!
//! ```text
//!   keyspace "blocks"    key     multihash of the block      as splitstore_domain::BlockKey
//!                        value   codec varint | data         see splitstore_domain::record
//!                        notes   behind all multihashes      see splitstore_domain::note
//!   keyspace "tick"      one key, rewritten by each reclaim  see maintenance.rs
//! ```
//! Every write goes through fjall's journal and reaches the kernel before it returns, none is synced by itself:
//! a killed process loses nothing that returned, a power cut loses whole batches from the end up to the last
//! `sync`. fjall checks a checksum on every block it reads, and takes no write after one failed.
//!
//! Start at [`FjallHot::open`].

mod hot;
pub use hot::FjallHot;
mod options;
pub use options::{Compression, FjallOptions};
mod create;
mod error;
mod folder;
mod maintenance;
mod notes;
mod read;
mod scan;
mod write;
