//! One entry of the index: where a block is and which times it holds.

use crate::layout::{CRC_LEN, ENTRY_LEN, HEADER_LEN, entry};
use crate::{Fault, TimeRange};

/// Where a block of a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The times it says the block holds.
    pub times: TimeRange,
    /// Where its checksum starts.
    pub offset: u64,
    /// Bytes of checksum and block.
    pub size: u32,
}

impl Entry {
    /// Reads an entry. The offset may be anything: see [`Entry::check`].
    pub(crate) fn read(bytes: &[u8; ENTRY_LEN]) -> Self {
        let word = |at: usize| u64::from_be_bytes(std::array::from_fn(|index| bytes[at + index]));
        let size = u32::from_be_bytes(std::array::from_fn(|index| bytes[entry::SIZE + index]));
        Self {
            times: TimeRange::new(word(entry::MIN).cast_signed(), word(entry::MAX).cast_signed()),
            offset: word(entry::OFFSET),
            size,
        }
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.times.min.to_be_bytes());
        out.extend_from_slice(&self.times.max.to_be_bytes());
        out.extend_from_slice(&self.offset.to_be_bytes());
        out.extend_from_slice(&self.size.to_be_bytes());
    }

    /// Where the block ends.
    pub fn end(&self) -> u64 {
        self.offset.saturating_add(u64::from(self.size))
    }

    /// Whether it can be true: times the right way round, and the block between header and index.
    pub(crate) fn check(&self, index_at: u64) -> Result<(), Fault> {
        let TimeRange { min, max } = self.times;
        if self.times.is_empty() {
            return Err(Fault::EntryTimes { min, max });
        }
        let inside = self.offset >= HEADER_LEN && self.end() <= index_at && self.size as usize > CRC_LEN;
        let (offset, size) = (self.offset.cast_signed(), self.size);
        if inside { Ok(()) } else { Err(Fault::EntryPlace { offset, size }) }
    }
}
