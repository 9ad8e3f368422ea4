//! A checksum of the index, for files that want one. The format has none: a bit that turns in a key makes
//! another key, and nothing in `InfluxDB`'s file tells.
//!
//! ```text
//!   .. last block | "TSMINDEX" | crc32 u32 of index and footer | index | footer
//!                 ^-------- 12 bytes that no entry names ------^ index_at
//! ```
//! `InfluxDB` finds blocks by their entries and the index by the footer, so it never looks at these bytes. A reader
//! here checks them when it opens a file, so that a turned bit in a key is never merged on under a new seal.

use crate::Fault;
use crate::cursor::Source;
use crate::error::Result;
use crate::layout::{CRC_LEN, HEADER_LEN};

/// What marks a sealed index.
const MAGIC: &[u8; 8] = b"TSMINDEX";
/// Bytes of the seal.
pub(crate) const SEAL_LEN: u64 = SIZE as u64;
const SIZE: usize = MAGIC.len() + CRC_LEN;
/// Bytes of the index that are read at once.
const PIECE: usize = 64 << 10;

/// Whether a writer seals the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexSeal {
    /// As `InfluxDB` writes.
    None,
    /// With a checksum before the index.
    Crc,
}

/// What a file's index says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealState {
    /// It has no checksum.
    Unsealed,
    /// Its checksum is right.
    Whole,
    /// Its checksum is wrong.
    Broken {
        /// In the file.
        stored: u32,
        /// Of the bytes.
        computed: u32,
    },
}

/// The bytes of a seal.
pub(crate) fn bytes(crc: u32) -> [u8; SIZE] {
    let mut seal = [0; SIZE];
    seal[..MAGIC.len()].copy_from_slice(MAGIC);
    seal[MAGIC.len()..].copy_from_slice(&crc.to_be_bytes());
    seal
}

/// Looks for a seal and checks it.
pub(crate) fn state(source: &Source) -> Result<SealState> {
    let mut seal = [0; SIZE];
    let Some(at) = source.index_at.checked_sub(SEAL_LEN).filter(|at| *at >= HEADER_LEN) else {
        return Ok(SealState::Unsealed);
    };
    source.read(&mut seal, at)?;
    let Some(stored) = seal.strip_prefix(MAGIC).and_then(|crc| crc.first_chunk()) else {
        return Ok(SealState::Unsealed);
    };
    let (stored, computed) = (u32::from_be_bytes(*stored), crc(source)?);
    Ok(if stored == computed { SealState::Whole } else { SealState::Broken { stored, computed } })
}

/// As [`state`]; a broken seal is damage.
pub(crate) fn checked(source: &Source) -> Result<SealState> {
    match state(source)? {
        SealState::Broken { stored, computed } => Err(broken(source, stored, computed)),
        whole => Ok(whole),
    }
}

/// A seal that does not fit its index.
pub(crate) fn broken(source: &Source, stored: u32, computed: u32) -> crate::Error {
    let at = source.at().offset(source.index_at - SEAL_LEN);
    at.damaged(Fault::IndexChecksum { stored, computed })
}

/// Of index and footer.
fn crc(source: &Source) -> Result<u32> {
    let mut hasher = crc32fast::Hasher::new();
    let mut piece = vec![0; PIECE];
    let mut at = source.index_at;
    while at < source.len {
        let len = usize::try_from(source.len - at).map_or(PIECE, |left| left.min(PIECE));
        source.read(&mut piece[..len], at)?;
        hasher.update(&piece[..len]);
        at += len as u64;
    }
    Ok(hasher.finalize())
}
