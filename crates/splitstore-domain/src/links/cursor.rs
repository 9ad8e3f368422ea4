//! Reads CBOR item headers (RFC 8949, section 3) off a slice.

use super::{Fault, LinkError};

pub(super) struct Cursor<'a> {
    block: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(block: &'a [u8]) -> Self {
        Self { block, offset: 0 }
    }

    #[inline]
    pub(super) const fn offset(&self) -> usize {
        self.offset
    }

    #[inline]
    pub(super) const fn remaining(&self) -> usize {
        self.block.len() - self.offset
    }

    /// The major type (0 to 7) and the argument of the next item.
    #[inline]
    pub(super) fn header(&mut self) -> Result<(u8, u64), LinkError> {
        let start = self.offset;
        let first = self.byte()?;
        let value = match first & 0x1f {
            small @ 0..=23 => small.into(),
            24 => self.byte()?.into(),
            long => self.argument(long, start)?,
        };
        Ok((first >> 5, value))
    }

    /// An argument of more than a byte.
    fn argument(&mut self, long: u8, start: usize) -> Result<u64, LinkError> {
        Ok(match long {
            25 => u16::from_be_bytes(self.array()?).into(),
            26 => u32::from_be_bytes(self.array()?).into(),
            27 => u64::from_be_bytes(self.array()?),
            _ => return Err(LinkError { offset: start, fault: Fault::BadHeader }),
        })
    }

    #[inline]
    pub(super) fn take(&mut self, len: u64) -> Result<&'a [u8], LinkError> {
        let rest = self.block.get(self.offset..).unwrap_or_default();
        let taken = usize::try_from(len).ok().and_then(|len| rest.get(..len));
        let taken = taken.ok_or(LinkError { offset: self.offset, fault: Fault::Truncated })?;
        self.offset += taken.len();
        Ok(taken)
    }

    /// Succeeds when everything was read.
    pub(super) const fn end(&self) -> Result<(), LinkError> {
        if self.remaining() == 0 {
            return Ok(());
        }
        Err(LinkError { offset: self.offset, fault: Fault::Trailing })
    }

    #[inline]
    fn byte(&mut self) -> Result<u8, LinkError> {
        let byte = self.block.get(self.offset).copied();
        let byte = byte.ok_or(LinkError { offset: self.offset, fault: Fault::Truncated })?;
        self.offset += 1;
        Ok(byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], LinkError> {
        let truncated = LinkError { offset: self.offset, fault: Fault::Truncated };
        let bytes = self.block.get(self.offset..).and_then(<[u8]>::first_chunk);
        self.offset += N.min(self.remaining());
        bytes.copied().ok_or(truncated)
    }
}
