//! The value an engine keeps for a block: its codec, then its data.
//!
//! ```text
//!   codec   unsigned varint, 1..=10 bytes, shortest form (0x71 DAG-CBOR is one byte, 0x0129 DAG-JSON two)
//!   data    the rest, as it was put; may be empty
//! ```
//! The codec stands before the data so that a scan reads true CIDs from the first bytes of each value. Version 1
//! of this layout has no marker of its own: the store's settings file carries the layout version.

use thiserror::Error;

/// The longest prefix: 64 bits in groups of seven.
pub const PREFIX_MAX: usize = 10;

const CONTINUES: u8 = 0x80;

/// Bytes that are no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The record ends inside its codec.
    #[error("record of {len} bytes ends inside its codec")]
    Truncated {
        /// Length of the record.
        len: usize,
    },
    /// The codec is more than 64 bits.
    #[error("codec of a record exceeds 64 bits")]
    Overlong,
    /// The codec is not in its shortest form: nobody wrote it like that.
    #[error("codec of a record is not in its shortest form")]
    NotShortest,
}

/// Appends the record of a block to `out`.
pub fn encode(codec: u64, data: &[u8], out: &mut Vec<u8>) {
    out.reserve(encoded_len(codec, data.len()));
    let mut rest = codec;
    while rest >= u64::from(CONTINUES) {
        out.push(rest.to_le_bytes()[0] | CONTINUES);
        rest >>= 7;
    }
    out.push(rest.to_le_bytes()[0]);
    out.extend_from_slice(data);
}

/// The length in bytes of the record of a block with `data_len` bytes of data.
pub const fn encoded_len(codec: u64, data_len: usize) -> usize {
    let bits = (u64::BITS - codec.leading_zeros()) as usize;
    let prefix = if bits == 0 { 1 } else { bits.div_ceil(7) };
    prefix + data_len
}

/// Reads a record: the codec, and the data as a part of `record`. The first [`PREFIX_MAX`] bytes of a record
/// are enough to read its codec.
pub fn decode(record: &[u8]) -> Result<(u64, &[u8]), RecordError> {
    // One byte is what nearly every codec in use takes.
    if let Some((&first, data)) = record.split_first()
        && first < CONTINUES
    {
        return Ok((u64::from(first), data));
    }
    let mut codec = 0_u64;
    for (index, &byte) in record.iter().take(PREFIX_MAX).enumerate() {
        let group = u64::from(byte & !CONTINUES);
        // The tenth group has room for one bit.
        if index == PREFIX_MAX - 1 && byte > 1 {
            return Err(RecordError::Overlong);
        }
        codec |= group << (7 * index);
        if byte < CONTINUES {
            return if byte == 0 { Err(RecordError::NotShortest) } else { Ok((codec, &record[index + 1..])) };
        }
    }
    Err(RecordError::Truncated { len: record.len() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_record_reads_back_as_it_was_written(codec: u64, shift in 0_u32..64, data: Vec<u8>) {
            let codec = codec >> shift;
            let mut record = Vec::new();
            encode(codec, &data, &mut record);
            prop_assert_eq!(record.len(), encoded_len(codec, data.len()));
            prop_assert_eq!(decode(&record), Ok((codec, data.as_slice())));
        }

        #[test]
        fn whatever_reads_is_what_would_be_written(bytes in prop::collection::vec(any::<u8>(), 0..16)) {
            if let Ok((codec, data)) = decode(&bytes) {
                let mut again = Vec::new();
                encode(codec, data, &mut again);
                prop_assert_eq!(again, bytes);
            }
        }
    }

    #[test]
    fn the_codecs_in_use_are_the_multiformats_varints() {
        for (codec, bytes) in [
            (0x00, &[0x00][..]),
            (0x55, &[0x55]),
            (0x71, &[0x71]),
            (0x0129, &[0xa9, 0x02]),
            (0x80, &[0x80, 1]),
        ] {
            let mut record = Vec::new();
            encode(codec, &[], &mut record);
            assert_eq!(record, bytes);
        }
    }

    #[test]
    fn a_codec_that_ends_early_is_long_or_padded_is_an_error() {
        assert_eq!(decode(&[]), Err(RecordError::Truncated { len: 0 }));
        assert_eq!(decode(&[0x80, 0xff]), Err(RecordError::Truncated { len: 2 }));
        assert_eq!(decode(&[0xf1, 0x00]), Err(RecordError::NotShortest));
        assert_eq!(decode(&[0xff; 12]), Err(RecordError::Overlong));
        assert_eq!(
            decode(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]),
            Err(RecordError::Overlong)
        );
    }
}
