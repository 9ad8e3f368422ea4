//! Unsigned LEB128 as multiformats wants it: minimal, at most 9 bytes, hence below 2^63.

use thiserror::Error;

/// Most bytes a varint may have.
const VARINT_BYTES_MAX: u32 = 9;

/// What is wrong with a varint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VarintFault {
    /// The ninth byte asks for a tenth.
    #[error("longer than 9 bytes")]
    TooLong,
    /// A shorter form of the same number exists.
    #[error("not in its shortest form")]
    NotMinimal,
}

/// A varint under construction; feed it bytes until it answers.
#[derive(Debug, Default)]
pub(crate) struct Varint {
    value: u64,
    bytes: u32,
}

impl Varint {
    /// Takes the next byte; `Some` once the number is complete.
    pub(crate) fn push(&mut self, byte: u8) -> Result<Option<u64>, VarintFault> {
        self.value |= u64::from(byte & 0x7f) << (7 * self.bytes);
        self.bytes += 1;
        if byte & 0x80 == 0 {
            let minimal = byte != 0 || self.bytes == 1;
            return if minimal { Ok(Some(self.value)) } else { Err(VarintFault::NotMinimal) };
        }
        if self.bytes == VARINT_BYTES_MAX { Err(VarintFault::TooLong) } else { Ok(None) }
    }
}
