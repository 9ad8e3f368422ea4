//! A data page of one of the engine's tables, read past the engine: for pages whose checksum is wrong.
//!
//! ```text
//!   page    entry entry .. entry | restarts: u32 each | their number | 1 byte compression, 4 bytes checksum
//!   entry   varint shared | varint rest | varint value | rest of the key | value        key = multihash, 8 bytes of the engine's
//! ```
//! Every length is held against what is there. A walk may begin at each restart, which is where a key stands whole. A page that
//! is compressed gives nothing.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Pages are a MiB at most, and one block more.
const LONGEST_PAGE: usize = 64 << 20;
/// Sequence number and type behind each key.
pub(crate) const SUFFIX: usize = 8;
/// The type of a put.
pub(crate) const PUT: u8 = 1;

/// Where the engine says that the damage is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    file: &'a str,
    offset: u64,
    size: usize,
    /// Not an index, filter or other page.
    is_data: bool,
}

impl<'a> Place<'a> {
    /// From `block checksum mismatch: stored = 1, computed = 2, type = 4  in <file> offset 3 size 4, block_type = Data`.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (_, place) = text.split_once("block checksum mismatch")?.1.split_once(" in ")?;
        let (place, size) = place.rsplit_once(" size ")?;
        let (file, offset) = place.rsplit_once(" offset ")?;
        let file = file.rsplit('/').next()?;
        let is_data = size.split_once("block_type = ").is_none_or(|(_, kind)| kind.starts_with("Data"));
        let digits = size.find(|c: char| !c.is_ascii_digit()).unwrap_or(size.len());
        Some(Self { file, offset: offset.parse().ok()?, size: size[..digits].parse().ok()?, is_data })
    }

    /// The page without its trailer, if it is one of data and not compressed, and the disk gives it.
    ///
    /// Errors: its file does not open, which says nothing of the page.
    pub(crate) fn read(&self, folder: &Path) -> io::Result<Option<Vec<u8>>> {
        if self.size > LONGEST_PAGE || !self.is_data {
            return Ok(None);
        }
        let mut page = vec![0; self.size + 1];
        let read = File::open(folder.join(self.file))?.read_exact_at(&mut page, self.offset);
        Ok((read.is_ok() && page.pop() == Some(0)).then_some(page))
    }
}

/// The entries of a page, and where keys stand whole.
pub(crate) fn split(page: &[u8]) -> Option<(&[u8], impl Iterator<Item = usize>)> {
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
pub(crate) struct Walk<'a> {
    pub(crate) entries: &'a [u8],
    pub(crate) at: usize,
    /// Of the last entry.
    pub(crate) key: Vec<u8>,
}

impl<'a> Walk<'a> {
    pub(crate) fn step(&mut self) -> Option<&'a [u8]> {
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

/// How much of a page its entries say that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// One entry followed the other to the end.
    Whole,
    /// Somewhere a length made no sense.
    Broken,
}

/// Shows the keys and values of all puts: first those from the start on, each once, then again from each restart.
pub(crate) fn each_put(page: &[u8], mut on_put: impl FnMut(&[u8], &[u8], Again)) -> Extent {
    let Some((entries, restarts)) = split(page) else { return Extent::Broken };
    let restarts: Vec<usize> = restarts.collect();
    let (mut extent, mut begins) = (Extent::Broken, vec![0]);
    for (start, again) in std::iter::once((0, Again::No)).chain(restarts.iter().map(|at| (*at, Again::Yes))) {
        let mut walk = Walk { entries, at: start, key: Vec::new() };
        while let Some(value) = walk.step() {
            if again == Again::No {
                begins.push(walk.at);
            }
            let Some((key, suffix)) = walk.key.split_last_chunk::<SUFFIX>() else { break };
            // A deletion has no value; the type may be damaged as well.
            if suffix[0] == PUT || !value.is_empty() {
                on_put(key, value, again);
            }
        }
        if again == Again::No && walk.at == entries.len() && are_restarts(&restarts, &begins) {
            extent = Extent::Whole;
        }
    }
    extent
}

/// Whether these are the restarts of entries that begin there: a damaged number of them takes entries for restarts, and hides these.
/// One of several may be damaged itself.
fn are_restarts(restarts: &[usize], begins: &[usize]) -> bool {
    let wrong = restarts.iter().filter(|at| begins.binary_search(at).is_err()).count();
    wrong <= 1 && wrong < restarts.len() && restarts.iter().filter(|at| **at == 0).count() <= 1
}

/// Whether an entry may have been shown before, or be none at all: a restart may be damaged itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    No,
    Yes,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Entries of 1024 bytes, no key shares bytes with another.
    fn page(entries: u8, restarts: &[u32], count: u32) -> Vec<u8> {
        let entry = |n: u8| {
            let mut entry = vec![0, 44, 0xd0, 7];
            entry.extend([n; 36]);
            entry.extend([PUT, 0, 0, 0, 0, 0, 0, 0]);
            entry.extend([n; 976]);
            entry
        };
        let restarts = restarts.iter().flat_map(|at| at.to_le_bytes());
        (0..entries).flat_map(entry).chain(restarts).chain(count.to_le_bytes()).collect()
    }

    fn shown(page: &[u8]) -> (Extent, usize) {
        let mut puts = 0;
        let extent = each_put(page, |_, _, again| puts += usize::from(again == Again::No));
        (extent, puts)
    }

    #[test]
    fn a_page_whose_entries_end_where_its_restarts_begin_is_whole() {
        assert_eq!(shown(&page(4, &[0], 1)), (Extent::Whole, 4));
        assert_eq!(shown(&page(4, &[0, 2048], 2)), (Extent::Whole, 4));
    }

    #[test]
    fn a_number_of_restarts_that_hides_the_last_entries_is_not_believed() {
        // 256 restarts more are as long as the last entry.
        assert_eq!(shown(&page(4, &[0], 1 + 256)), (Extent::Broken, 3));
        assert_eq!(shown(&page(4, &[0, 2048], 2 + 512)), (Extent::Broken, 2));
    }

    #[test]
    fn one_damaged_restart_of_several_hides_nothing() {
        assert_eq!(shown(&page(4, &[0, 2049], 2)), (Extent::Whole, 4));
    }
}
