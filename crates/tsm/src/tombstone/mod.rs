//! Tombstones: what was deleted from one TSM file, in a file beside it.
//!
//! ```text
//!   v1   key \n key \n ..                               text; all times of each key; no bytes at all: no deletes
//!   v2   00 00 15 02 | entry * n
//!   v3   00 00 15 03 | gzip of { entry * n }
//!   v4   00 00 15 04 | { gzip of { entry * n } } * m     members back to back
//!
//!   entry             key length u32 | key | min i64 | max i64                        both times included
//!   alpha's (v4)      flags u8, key length u24 | key | min | max | [length u64 | predicate]
//!                     bit 31: all keys that start so; bit 30: a predicate follows
//! ```
//! A tombstone concerns its own TSM file and no other: what newer files hold is not deleted by it.
//! All versions are read. Written is v4, always whole: the old entries are read, the new ones added, and the
//! file is replaced. (`InfluxDB` loses the old ones when it adds to v1, v2 or v3.) Alpha's entries that were there
//! stay as they are.

mod read;
mod set;
mod write;

use std::path::{Path, PathBuf};

use crate::{TimeRange, name};

pub use read::{TombstoneFile, Version, load, load_in, read};
pub use set::Tombstones;
pub use write::{add, add_in, encode};

const MAGIC: [u8; 3] = [0x00, 0x00, 0x15];
/// Flags of alpha's dialect, above the 24 bits of the key's length.
const PREFIX: u32 = 1 << 31;
const PREDICATE: u32 = 1 << 30;
const LEN_BITS: u32 = 24;

/// One delete.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tombstone {
    /// The key, or what keys start with.
    pub key: Vec<u8>,
    /// The times deleted.
    pub times: TimeRange,
    /// Whether it means one key or many.
    pub scope: Scope,
    /// Which of those keys, as 2.0 alpha wrote it; not understood here.
    pub predicate: Option<Vec<u8>>,
}

/// Which keys a tombstone means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The key itself.
    Key,
    /// All keys that start with it (2.0 alpha only).
    Prefix,
}

impl Tombstone {
    /// A delete of some times of a key.
    pub fn new(key: &[u8], times: TimeRange) -> Self {
        Self { key: key.to_vec(), times, scope: Scope::Key, predicate: None }
    }
}

/// Where the tombstones of a TSM file lie.
pub fn path_of(tsm: &Path) -> PathBuf {
    tsm.with_extension(name::TOMBSTONE)
}
