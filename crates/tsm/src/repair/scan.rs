//! Finding blocks where no index names them: by their checksums.
//!
//! ```text
//!   .. | crc | kind | uvarint | times ..          a head that could be one; then byte by byte, until the checksum
//!      at                       ... | ?           of what was passed is the one at the start, and it decodes
//! ```
//! A checksum has 32 bits and a block must decode to its last byte, so what is found is a block.

use std::sync::Arc;

use crate::cursor::Source;
use crate::encoding::take_varint;
use crate::layout::CRC_LEN;
use crate::{BlockType, Column, Decoder, Limits, Result, SealedBlock};

/// No block is looked for that is larger.
const BLOCK_MAX: u64 = 16 << 20;
/// Bytes that tell whether a block could start: checksum, kind, length of the times, their first byte.
const HEAD: usize = 16;
/// Bytes of the shortest timestamp section.
const TIMES_MIN: u64 = 9;
/// Highest encoding of timestamps.
const TIMES_ENCODING_MAX: u8 = 2;
const PIECE_MIN: usize = 4 << 10;
const PIECE_MAX: usize = 256 << 10;

/// Looks for blocks.
pub(super) struct Scan {
    source: Arc<Source>,
    decoder: Decoder,
    column: Column,
    block: Vec<u8>,
}

impl Scan {
    pub(super) fn new(source: Arc<Source>, limits: Limits) -> Self {
        let column = Column::empty(BlockType::Float);
        Self { source, decoder: Decoder::new(limits), column, block: Vec::new() }
    }

    /// The first block that starts at `from` or later and ends at `to` or earlier: where, and its size.
    pub(super) fn next(&mut self, mut from: u64, to: u64) -> Result<Option<(u64, u64)>> {
        while from < to {
            if let Some(size) = self.at(from, to)? {
                return Ok(Some((from, size)));
            }
            from += 1;
        }
        Ok(None)
    }

    /// The size of the block that starts there, if one does; its bytes are kept.
    pub(super) fn at(&mut self, at: u64, to: u64) -> Result<Option<u64>> {
        let room = to.saturating_sub(at).min(BLOCK_MAX);
        let mut head = [0; HEAD];
        if room < HEAD as u64 {
            return Ok(None);
        }
        self.source.read(&mut head, at)?;
        let Some(shortest) = shortest(&head).filter(|shortest| *shortest <= room) else { return Ok(None) };
        let stored = u32::from_be_bytes(std::array::from_fn(|index| head[index]));
        self.block.clear();
        let mut hasher = crc32fast::Hasher::new();
        let mut checked = CRC_LEN;
        while (self.block.len() as u64) < room {
            self.read_on(at, room)?;
            for end in checked + 1..=self.block.len() {
                hasher.update(&self.block[end - 1..end]);
                let whole = end as u64 >= shortest && hasher.clone().finalize() == stored;
                if whole && self.decodes(end) {
                    self.block.truncate(end);
                    return Ok(Some(end as u64));
                }
            }
            checked = self.block.len();
        }
        Ok(None)
    }

    /// The bytes of the block that was found last, checksum and all.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.block)
    }

    fn read_on(&mut self, at: u64, room: u64) -> Result<()> {
        let there = self.block.len();
        let more = there.clamp(PIECE_MIN, PIECE_MAX);
        let more = usize::try_from(room - there as u64).map_or(more, |left| left.min(more));
        self.block.resize(there + more, 0);
        self.source.read(&mut self.block[there..], at + there as u64)
    }

    fn decodes(&mut self, end: usize) -> bool {
        let sealed = SealedBlock::verify(&self.block[..end]);
        sealed.is_ok_and(|sealed| self.decoder.decode_bytes(sealed.bytes(), &mut self.column).is_ok())
    }
}

/// The least size of a block with this head, if it can be the head of one.
fn shortest(head: &[u8; HEAD]) -> Option<u64> {
    let (kind, rest) = head[CRC_LEN..].split_first()?;
    BlockType::of(*kind).ok()?;
    let (times, rest) = take_varint(rest, "a length").ok()?;
    let encoding = rest.first()? >> 4;
    let before = (HEAD - rest.len()) as u64;
    (times >= TIMES_MIN && encoding <= TIMES_ENCODING_MAX)
        .then(|| before.saturating_add(times).saturating_add(1))
}
