//! Strings to a section.

use std::fmt;

use super::super::{bytes::put_varint, tag};
use crate::Refusal;
use crate::strings::StringsRef;

/// The most bytes of strings and lengths in one section: snappy's length is a `u32`.
pub const SECTION_MAX: u64 = 0xffff_ffff;

/// Compresses strings; keeps its memory from one section to the next.
pub struct StringEncoder {
    plain: Vec<u8>,
    snappy: snap::raw::Encoder,
}

impl Default for StringEncoder {
    fn default() -> Self {
        Self { plain: Vec::new(), snappy: snap::raw::Encoder::new() }
    }
}

impl fmt::Debug for StringEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StringEncoder").finish_non_exhaustive()
    }
}

impl StringEncoder {
    /// Appends the section of `values`. What it refuses leaves `out` as it was.
    pub fn encode(&mut self, values: StringsRef<'_>, out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.encode_within(values, SECTION_MAX, out)
    }

    /// The limit is an argument so that a test need not have 4 GiB of strings.
    fn encode_within(
        &mut self,
        values: StringsRef<'_>,
        limit: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let bytes = values.iter().map(|string| string.len() as u64 + varint_len(string.len())).sum();
        let room = usize::try_from(bytes).map_or(0, snap::raw::max_compress_len);
        if bytes > limit || room == 0 {
            return Err(Refusal::StringsTooLarge { bytes, limit });
        }
        self.plain.clear();
        for string in values.iter() {
            put_varint(string.len() as u64, &mut self.plain);
            self.plain.extend_from_slice(string);
        }
        let start = out.len();
        out.push(tag::SNAPPY);
        out.resize(start + 1 + room, 0);
        let compressed = self.snappy.compress(&self.plain, &mut out[start + 1..]);
        let compressed = compressed.map_err(|_| Refusal::StringsTooLarge { bytes, limit });
        out.truncate(start + compressed.as_ref().map_or(0, |len| len + 1));
        compressed.map(drop)
    }
}

fn varint_len(len: usize) -> u64 {
    u64::from((usize::BITS - len.leading_zeros()).div_ceil(7).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Strings;

    #[test]
    fn strings_that_snappy_does_not_take_are_refused_and_leave_nothing_behind() {
        let strings: Strings = ["x".repeat(200), "y".repeat(100)].into_iter().collect();
        let mut out = vec![7];
        let mut encoder = StringEncoder::default();
        let all = strings.slice(0..2);
        assert_eq!(
            encoder.encode_within(all, 302, &mut out),
            Err(Refusal::StringsTooLarge { bytes: 303, limit: 302 })
        );
        assert_eq!(out, [7]);
        assert_eq!(encoder.encode_within(all, 303, &mut out), Ok(()));
        assert!(out.len() > 1);
    }
}
