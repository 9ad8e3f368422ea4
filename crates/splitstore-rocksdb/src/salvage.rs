//! Blocks out of a page whose checksum is wrong. The engine checks a page of 8 KiB as a whole, and gives back none of it; most
//! blocks in it are as they were put, and their own hashes say which.
//!
//! ```text
//!   page    entry entry .. entry | restarts: u32 each | their number | 1 byte compression, 4 bytes checksum
//!   entry   varint shared | varint rest | varint value | rest of the key | value        key = multihash, 8 bytes of the engine's
//! ```
//! The engine can read on without its checksums, but then it trusts lengths that nobody checked. So the page is read here,
//! past the engine and its cache, every length against what is there; a walk begins at each restart, which is where a key
//! stands whole. What is served hashes to its CID; a page that is compressed, or names a later deletion of the key, gives
//! nothing, and the engine's own error stands.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::Ordering;

use cid::Cid;
use splitstore_domain::{BlockKey, digest, record};

use crate::RocksHot;

/// Pages are a MiB at most, and one block more.
const LONGEST_PAGE: usize = 64 << 20;
/// Sequence number and type behind each key.
const SUFFIX: usize = 8;
/// The type of a put.
const PUT: u8 = 1;

impl RocksHot {
    /// The data of a block that the engine could not read for damage around it.
    pub(crate) fn salvage(&self, cid: &Cid, key: &BlockKey, error: &rocksdb::Error) -> Option<Vec<u8>> {
        if error.kind() != rocksdb::ErrorKind::Corruption || !digest::is_supported(cid.hash().code()) {
            return None;
        }
        let page = Place::parse(error.as_ref())?.read(&self.path)?;
        let data = search(&page, cid, key)?;
        self.salvaged.fetch_add(1, Ordering::Relaxed);
        Some(data)
    }
}

/// Where the engine says that the damage is.
#[derive(Debug, PartialEq, Eq)]
struct Place<'a> {
    file: &'a str,
    offset: u64,
    size: usize,
}

impl<'a> Place<'a> {
    /// From `block checksum mismatch: stored = 1, computed = 2, type = 4  in <file> offset 3 size 4`.
    fn parse(text: &'a str) -> Option<Self> {
        let (_, place) = text.split_once("block checksum mismatch")?.1.split_once(" in ")?;
        let (place, size) = place.rsplit_once(" size ")?;
        let (file, offset) = place.rsplit_once(" offset ")?;
        let file = file.rsplit('/').next()?;
        let digits = size.find(|c: char| !c.is_ascii_digit()).unwrap_or(size.len());
        Some(Self { file, offset: offset.parse().ok()?, size: size[..digits].parse().ok()? })
    }

    /// The page without its trailer, if it is not compressed.
    fn read(&self, folder: &Path) -> Option<Vec<u8>> {
        if self.size > LONGEST_PAGE {
            return None;
        }
        let mut page = vec![0; self.size + 1];
        File::open(folder.join(self.file)).ok()?.read_exact_at(&mut page, self.offset).ok()?;
        (page.pop() == Some(0)).then_some(page)
    }
}

/// The data of the block in a page, if it is there and whole.
fn search(page: &[u8], cid: &Cid, key: &BlockKey) -> Option<Vec<u8>> {
    let (entries, restarts) = split(page)?;
    for start in std::iter::once(0).chain(restarts) {
        let mut walk = Walk { entries, at: start, key: Vec::new() };
        while let Some(value) = walk.step() {
            let Some((user, suffix)) = walk.key.split_last_chunk::<SUFFIX>() else { break };
            // The type is the lowest byte of eight, little end first.
            let is_put = suffix[0] == PUT;
            if user == key.as_bytes() && !is_put {
                return None;
            }
            if is_put && differs_by_a_bit(user, key.as_bytes()) {
                let data = record::decode(value).ok().map(|(_, data)| data);
                if let Some(data) = data.filter(|data| digest::verify(cid, data).is_ok()) {
                    return Some(data.to_vec());
                }
            }
        }
    }
    None
}

/// Whether two keys are the same but for one bit at most: the damage may be in the key.
fn differs_by_a_bit(one: &[u8], other: &[u8]) -> bool {
    let bits = one.iter().zip(other).map(|(one, other)| (one ^ other).count_ones()).sum::<u32>();
    one.len() == other.len() && bits <= 1
}

/// The entries of a page, and where keys stand whole.
fn split(page: &[u8]) -> Option<(&[u8], impl Iterator<Item = usize>)> {
    let (rest, count) = page.split_last_chunk::<4>()?;
    let count = u32::from_le_bytes(*count) as usize;
    // A damaged number of them leaves the walk from the start.
    let from = rest.len().checked_sub(count.checked_mul(4)?).unwrap_or(rest.len());
    let (entries, restarts) = rest.split_at(from);
    let restarts =
        restarts.chunks_exact(4).map(|at| u32::from_le_bytes([at[0], at[1], at[2], at[3]]) as usize);
    Some((entries, restarts))
}

/// Entries one after the other, until one makes no sense.
struct Walk<'a> {
    entries: &'a [u8],
    at: usize,
    key: Vec<u8>,
}

impl<'a> Walk<'a> {
    fn step(&mut self) -> Option<&'a [u8]> {
        let mut entry = self.entries.get(self.at..)?;
        let (shared, rest, len) = (varint(&mut entry)?, varint(&mut entry)?, varint(&mut entry)?);
        let (key, value) = (entry.get(..rest)?, entry.get(rest..rest.checked_add(len)?)?);
        if shared > self.key.len() {
            return None;
        }
        self.key.truncate(shared);
        self.key.extend_from_slice(key);
        self.at = self.entries.len() - entry.len() + rest + len;
        Some(value)
    }
}

fn varint(bytes: &mut &[u8]) -> Option<usize> {
    let mut value = 0_usize;
    for shift in (0..35).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
