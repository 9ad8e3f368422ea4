//! As much DAG-CBOR as a CAR header needs: no recursion, nothing allocated, every length checked
//! against the bytes that are there.

use cid::Cid;

use crate::cid_bytes;

/// Major types of CBOR (RFC 8949, 3.1) that a header may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Major {
    Unsigned = 0,
    Bytes = 2,
    Text = 3,
    Array = 4,
    Map = 5,
    Tag = 6,
}

/// Tag of a CID (DAG-CBOR).
pub(crate) const TAG_CID: u64 = 42;

/// Reads items from the front of a header; errors are reasons.
pub(crate) struct Cbor<'a> {
    rest: &'a [u8],
}

impl<'a> Cbor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether every byte was read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Argument of the next item, which must be of type `major`, of definite length and minimal.
    pub(crate) fn argument(&mut self, major: Major) -> Result<u64, &'static str> {
        let first = *self.take(1)?.first().ok_or(SHORT)?;
        if first >> 5 != major as u8 {
            return Err("an item is of another CBOR type than a CAR header has there");
        }
        let (width, least) = match first & 0x1f {
            small @ 0..24 => return Ok(u64::from(small)),
            24 => (1, 24),
            25 => (2, 1 << 8),
            26 => (4, 1 << 16),
            27 => (8, 1 << 32),
            _ => return Err("an item is of indefinite length"),
        };
        let value = self.take(width)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
        if value < least { Err("a number is not in its shortest form") } else { Ok(value) }
    }

    /// The next item's bytes, which must be of type `major` (bytes or text).
    pub(crate) fn string(&mut self, major: Major) -> Result<&'a [u8], &'static str> {
        let len = self.argument(major)?;
        self.take(usize::try_from(len).map_err(|_| SHORT)?)
    }

    /// The next item as a link: tag 42 around a byte string of 0x00 and the CID.
    pub(crate) fn link(&mut self) -> Result<Cid, &'static str> {
        if self.argument(Major::Tag)? != TAG_CID {
            return Err("a root is not a CID");
        }
        let bytes = self.string(Major::Bytes)?;
        let bytes = bytes.strip_prefix(&[0]).ok_or("a root's CID lacks its 0x00 prefix")?;
        let (cid, rest) = cid_bytes::split(bytes)?;
        if rest.is_empty() { Ok(cid) } else { Err("bytes follow a root's CID") }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(SHORT)?;
        self.rest = rest;
        Ok(taken)
    }
}

const SHORT: &str = "an item reaches past the header";

/// Appends the head of an item: its type and minimal argument.
pub(crate) fn put_argument(out: &mut Vec<u8>, major: Major, value: u64) {
    let major = (major as u8) << 5;
    let bytes = value.to_be_bytes();
    let (info, width) = match value {
        0..24 => (bytes[7], 0),
        24..=0xff => (24, 1),
        0x100..=0xffff => (25, 2),
        0x1_0000..=0xffff_ffff => (26, 4),
        _ => (27, 8),
    };
    out.push(major | info);
    out.extend_from_slice(&bytes[8 - width..]);
}
