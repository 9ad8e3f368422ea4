//! Taking numbers off the front of bytes, with a fault where they end.

use crate::Fault;

/// The longest varint of 64 bits.
const VARINT_LEN_MAX: usize = 10;

/// Takes eight bytes.
pub(super) fn take_u64<'a>(bytes: &'a [u8], what: &'static str) -> Result<(u64, &'a [u8]), Fault> {
    let (head, rest) = bytes.split_first_chunk::<8>().ok_or(Fault::Truncated { what })?;
    Ok((u64::from_be_bytes(*head), rest))
}

/// Takes a LEB128 varint of at most 64 bits.
pub(crate) fn take_varint<'a>(bytes: &'a [u8], what: &'static str) -> Result<(u64, &'a [u8]), Fault> {
    let mut value = 0_u64;
    for (at, byte) in bytes.iter().take(VARINT_LEN_MAX).enumerate() {
        if at == VARINT_LEN_MAX - 1 && *byte > 1 {
            return Err(Fault::Varint { what });
        }
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok((value, &bytes[at + 1..]));
        }
    }
    Err(if bytes.len() < VARINT_LEN_MAX { Fault::Truncated { what } } else { Fault::Varint { what } })
}

/// Appends a LEB128 varint.
pub(crate) fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// Nothing may follow.
pub(super) fn nothing_left(bytes: &[u8], what: &'static str) -> Result<(), Fault> {
    if bytes.is_empty() { Ok(()) } else { Err(Fault::Surplus { what }) }
}

/// Refuses a count above the limit, before anything is allocated for it.
pub(super) fn within(count: u64, limit: usize, what: &'static str) -> Result<usize, Fault> {
    let allowed = usize::try_from(count).ok().filter(|count| *count <= limit);
    allowed.ok_or(Fault::OverLimit { what, found: count, limit: limit as u64 })
}

/// The values of a section must be as many as the timestamps.
pub(super) fn as_many(values: u64, times: usize) -> Result<(), Fault> {
    if values == times as u64 { Ok(()) } else { Err(Fault::CountMismatch { times, values }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_go_there_and_back() {
        for value in [0, 1, 0x7f, 0x80, 300, 1 << 60, u64::MAX] {
            let mut out = Vec::new();
            put_varint(value, &mut out);
            out.push(9);
            assert_eq!(take_varint(&out, "test"), Ok((value, &[9][..])));
        }
    }

    #[test]
    fn a_varint_that_ends_early_or_never_is_a_fault() {
        assert_eq!(take_varint(&[0x80; 9], "test"), Err(Fault::Truncated { what: "test" }));
        assert_eq!(take_varint(&[], "test"), Err(Fault::Truncated { what: "test" }));
        assert_eq!(take_varint(&[0x80; 10], "test"), Err(Fault::Varint { what: "test" }));
        let mut large = [0xff; 10];
        large[9] = 2;
        assert_eq!(take_varint(&large, "test"), Err(Fault::Varint { what: "test" }));
    }
}
