//! Cold tier and metadata on redb: one file each, a B-tree of multihash to record.
//!
//! ```text
//!   cold file   table "blocks.v1"   multihash bytes -> codec varint | data
//!   meta file   table "cells.v1"    cell name       -> blake2b-256 of (name | value) | value
//! ```
//! What redb leaves to its user, and what is done about it here:
//!
//! | redb 4.6 | here |
//! |---|---|
//! | creation is not atomic: killed half-way, the file never opens again | made under another name, then linked |
//! | values are not checked on reads | every read hashes the data, every cell carries a checksum |
//! | an unclean stop costs a walk of the whole file | quick repair (which implies 2-phase commit), always |
//! | one failed I/O call fails all later ones, reads too | the file is opened anew; writes stay refused |
//! | a damaged page can make it panic | the panic is caught and becomes `Corrupt` |
//! | keys are not checked on reads: a turned bit hides a block | a read that found nothing looks at both neighbours |
//!
//! Not covered: a flipped bit in a page's own structure may still make a block look absent. The scan finds most of
//! these (keys out of order, fewer keys than the tree claims).
//!
//! Start at [`RedbCold`].

mod options;
pub use options::RedbOptions;
mod backend;
mod beside;
mod cold;
mod create;
mod fault;
mod file;
mod insert;
mod reader;
mod reclaim;
mod scan;
pub use cold::RedbCold;
mod meta;
#[cfg(any(test, feature = "fault-injection"))]
pub use backend::Disk;
pub use meta::RedbMeta;

#[cfg(test)]
mod failing_disk;
