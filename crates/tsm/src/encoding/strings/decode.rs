//! A section to strings.

use std::fmt;

use super::super::{
    bytes::{as_many, take_varint, within},
    tag,
};
use crate::{Fault, Strings};

const WHAT: &str = "strings";
/// Snappy's densest element makes 64 bytes of 3, so no honest length exceeds this times the input.
const EXPANSION_MAX: u64 = 64 / 3 + 1;

/// Decompresses strings; keeps its memory from one section to the next.
pub struct StringDecoder {
    plain: Vec<u8>,
    snappy: snap::raw::Decoder,
}

impl Default for StringDecoder {
    fn default() -> Self {
        Self { plain: Vec::new(), snappy: snap::raw::Decoder::new() }
    }
}

impl fmt::Debug for StringDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StringDecoder").finish_non_exhaustive()
    }
}

impl StringDecoder {
    /// Replaces `out` by the strings of a section, which must be `expected` many and have at most `limit`
    /// bytes together (with a varint each).
    pub fn decode(
        &mut self,
        section: &[u8],
        expected: usize,
        limit: usize,
        out: &mut Strings,
    ) -> Result<(), Fault> {
        out.clear();
        let (tag, rest) = section.split_first().ok_or(Fault::Truncated { what: WHAT })?;
        if *tag != tag::SNAPPY {
            return Err(Fault::UnknownEncoding { what: WHAT, byte: *tag });
        }
        self.decompress(rest, limit)?;
        self.split(expected, out)
    }

    fn decompress(&mut self, snappy: &[u8], limit: usize) -> Result<(), Fault> {
        let claimed = snap::raw::decompress_len(snappy)?;
        let len = within(claimed as u64, limit, "bytes of strings")?;
        if len as u64 > EXPANSION_MAX * snappy.len() as u64 {
            return Err(Fault::Truncated { what: WHAT });
        }
        self.plain.resize(len, 0);
        let written = self.snappy.decompress(snappy, &mut self.plain)?;
        self.plain.truncate(written);
        Ok(())
    }

    fn split(&self, expected: usize, out: &mut Strings) -> Result<(), Fault> {
        // Each string has a byte at least, its length.
        if expected > self.plain.len() {
            return Err(Fault::CountMismatch { times: expected, values: self.count()? });
        }
        out.reserve(expected, self.plain.len());
        let mut rest = self.plain.as_slice();
        while !rest.is_empty() && out.len() < expected {
            let (string, after) = first(rest)?;
            out.push(string);
            rest = after;
        }
        as_many(if rest.is_empty() { out.len() as u64 } else { self.count()? }, expected)
    }

    fn count(&self) -> Result<u64, Fault> {
        let mut rest = self.plain.as_slice();
        let mut count = 0;
        while !rest.is_empty() {
            rest = first(rest)?.1;
            count += 1;
        }
        Ok(count)
    }
}

fn first(bytes: &[u8]) -> Result<(&[u8], &[u8]), Fault> {
    let (len, rest) = take_varint(bytes, "the length of a string")?;
    let len = usize::try_from(len).ok();
    len.and_then(|len| rest.split_at_checked(len)).ok_or(Fault::Truncated { what: "a string" })
}
