//! Where the `CARv1` lies inside a `CARv2`: the 40 bytes after the pragma, drawn in `lib.rs`.

use crate::error::{CarError, Result};
use crate::stream::Stream;

const PRAGMA_BYTES: u64 = 11;
const HEADER_BYTES: usize = 40;
const DATA_OFFSET_AT: usize = 16;
const DATA_SIZE_AT: usize = 24;
const INDEX_OFFSET_AT: usize = 32;

/// Offsets of the inner `CARv1`, from the start of the pragma.
/// Invariant: 51 <= start < end; an index, where there is one, begins at or after `end`.
#[derive(Debug)]
pub(crate) struct Payload {
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl Payload {
    /// Reads the header that follows the pragma.
    pub(crate) fn read(stream: &mut Stream) -> Result<Self> {
        let at = stream.at();
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        stream.read_into(&mut bytes, HEADER_BYTES as u64, "the CARv2 header", at.offset)?;
        Self::parse(&bytes).map_err(|reason| CarError::BadHeader { at, reason })
    }

    fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let start = integer(bytes, DATA_OFFSET_AT);
        let size = integer(bytes, DATA_SIZE_AT);
        let index = integer(bytes, INDEX_OFFSET_AT);
        let end = start.checked_add(size).ok_or("data offset and size exceed 2^64")?;
        if start < PRAGMA_BYTES + HEADER_BYTES as u64 {
            return Err("the data offset lies inside the CARv2 header");
        }
        if size == 0 {
            return Err("the data size is zero");
        }
        if index != 0 && index < end {
            return Err("the index begins before the data ends");
        }
        Ok(Self { start, end })
    }
}

fn integer(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}
