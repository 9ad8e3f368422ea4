//! Booleans: a bit each, the first one at the top.
//!
//! ```text
//!   10 | uvarint n | ceil(n / 8) bytes, zeros at the end
//! ```

use super::{
    Family,
    bytes::{as_many, put_varint, take_varint},
    tag,
};
use crate::Fault;

const WHAT: &str = "booleans";

/// Appends the section of `values`.
pub fn encode(values: &[bool], family: Family, out: &mut Vec<u8>) {
    out.push(tag::BITMAP);
    put_varint(values.len() as u64, out);
    if values.is_empty() && family == Family::Snapshot {
        out.push(0);
    }
    let (whole, rest) = values.as_chunks::<8>();
    out.extend(whole.iter().map(|bits| packed(bits)));
    if !rest.is_empty() {
        out.push(packed(rest) << (8 - rest.len()));
    }
}

fn packed(bits: &[bool]) -> u8 {
    bits.iter().fold(0, |byte, bit| (byte << 1) | u8::from(*bit))
}

/// Replaces `out` by the booleans of a section, which must be `expected` many.
pub fn decode(section: &[u8], expected: usize, out: &mut Vec<bool>) -> Result<(), Fault> {
    out.clear();
    let (tag, rest) = section.split_first().ok_or(Fault::Truncated { what: WHAT })?;
    if *tag != tag::BITMAP {
        return Err(Fault::UnknownEncoding { what: WHAT, byte: *tag });
    }
    let (count, bytes) = take_varint(rest, "the count of booleans")?;
    as_many(count, expected)?;
    let spurious = expected == 0 && bytes == [0];
    match bytes.len().cmp(&expected.div_ceil(8)) {
        std::cmp::Ordering::Less => return Err(Fault::Truncated { what: WHAT }),
        std::cmp::Ordering::Greater if !spurious => return Err(Fault::Surplus { what: WHAT }),
        _ => {}
    }
    unpack(bytes, expected, out)
}

fn unpack(bytes: &[u8], expected: usize, out: &mut Vec<bool>) -> Result<(), Fault> {
    out.resize(expected, false);
    let (whole, rest) = out.as_chunks_mut::<8>();
    for (bits, byte) in whole.iter_mut().zip(bytes) {
        *bits = std::array::from_fn(|index| byte & (0x80 >> index) != 0);
    }
    if let Some(last) = bytes.last().filter(|_| !rest.is_empty()) {
        for (index, bit) in rest.iter_mut().enumerate() {
            *bit = last & (0x80 >> index) != 0;
        }
        if last << rest.len() != 0 {
            return Err(Fault::Surplus { what: WHAT });
        }
    }
    Ok(())
}
