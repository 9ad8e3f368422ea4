//! Finds the links of a DAG-CBOR block, reading it once, with no allocation unless it nests deeper than 16.
//!
//! ```text
//!   d8 2a            tag 42
//!   58 len           byte string
//!   00               multibase prefix "identity"
//!   01 | codec | multihash          (or 12 20 digest: CIDv0)   <- what a Link borrows
//! ```
//! The scan is a loop over items with a list of open containers, so hostile nesting costs no stack, and no more
//! than a kilobyte of heap; more than [`DEPTH_MAX`] open containers is an error. A scan of hot does this for every block
//! it reads: what is done per item decides how fast marking is.
//!
//! Liberal where chains are (non-minimal integers, any UTF-8, unordered keys, unknown tags: mainnet's genesis
//! and historic messages hold all of these), strict where a link could hide: a truncated item, an indefinite
//! length, a bad CID or trailing bytes is an error with its position. An error is never "no links".

use thiserror::Error;

mod cursor;
use cursor::Cursor;
mod link;
pub use link::Link;

/// Containers and tags that may be open at once.
pub const DEPTH_MAX: usize = 256;

const TAG_CID: u64 = 42;

/// Where and why a block is not DAG-CBOR that we can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("malformed dag-cbor at byte {offset}: {fault}")]
pub struct LinkError {
    /// Position in the block.
    pub offset: usize,
    /// What is wrong there.
    pub fault: Fault,
}

/// What is wrong with a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// The block ends inside an item, or a container claims more items than bytes are left.
    #[error("truncated")]
    Truncated,
    /// Indefinite lengths and reserved headers are not DAG-CBOR.
    #[error("reserved or indefinite item header")]
    BadHeader,
    /// Tag 42 must hold a byte string.
    #[error("tag 42 without a byte string")]
    NotBytes,
    /// The byte string of tag 42 is no binary CID.
    #[error("bad cid in a link")]
    BadCid,
    /// More than [`DEPTH_MAX`] containers are open.
    #[error("nested deeper than {DEPTH_MAX}")]
    TooDeep,
    /// Bytes follow the one item that a block is.
    #[error("trailing bytes")]
    Trailing,
}

/// Calls `on_link` for each link of `block`, in the order they stand.
///
/// Links met before an error have been reported when it returns: callers must not act on half a block.
pub fn scan_links<'a>(block: &'a [u8], mut on_link: impl FnMut(Link<'a>)) -> Result<(), LinkError> {
    let mut cursor = Cursor::new(block);
    let mut open = Open::default();
    // Items still to come in the innermost container; the block itself is one item.
    let mut left: u32 = 1;
    loop {
        while left == 0 {
            let Some(outer) = open.pop() else { return cursor.end() };
            left = outer;
        }
        left -= 1;
        let start = cursor.offset();
        let (major, value) = cursor.header()?;
        let opened = match major {
            2 | 3 => {
                cursor.take(value)?;
                continue;
            }
            4 => value,
            5 => value.saturating_mul(2),
            6 if value == TAG_CID => {
                read_link(&mut cursor, &mut on_link)?;
                continue;
            }
            6 => 1,
            // Integers, floats and simple values are their header.
            _ => continue,
        };
        if opened > 0 {
            // Each item takes at least one byte: a larger claim is a lie, found before it is believed.
            let inner = u32::try_from(opened).ok().filter(|n| *n as usize <= cursor.remaining());
            let inner = inner.ok_or(LinkError { offset: start, fault: Fault::Truncated })?;
            open.push(left).ok_or(LinkError { offset: start, fault: Fault::TooDeep })?;
            left = inner;
        }
    }
}

fn read_link<'a>(cursor: &mut Cursor<'a>, on_link: &mut impl FnMut(Link<'a>)) -> Result<(), LinkError> {
    let offset = cursor.offset();
    let (major, len) = cursor.header()?;
    if major != 2 {
        return Err(LinkError { offset, fault: Fault::NotBytes });
    }
    let bytes = cursor.take(len)?;
    let link = bytes.strip_prefix(&[0]).and_then(Link::parse);
    on_link(link.ok_or(LinkError { offset, fault: Fault::BadCid })?);
    Ok(())
}

/// Open containers that need no heap: deeper than what chains store.
const SHALLOW: usize = 16;

/// Items still to come around each open container, outermost first.
#[derive(Default)]
struct Open {
    shallow: [u32; SHALLOW],
    deep: Vec<u32>,
    depth: usize,
}

impl Open {
    fn push(&mut self, left: u32) -> Option<()> {
        if let Some(place) = self.shallow.get_mut(self.depth) {
            *place = left;
        } else if self.depth < DEPTH_MAX {
            self.deep.push(left);
        } else {
            return None;
        }
        self.depth += 1;
        Some(())
    }

    fn pop(&mut self) -> Option<u32> {
        self.depth = self.depth.checked_sub(1)?;
        self.shallow.get(self.depth).copied().or_else(|| self.deep.pop())
    }
}
