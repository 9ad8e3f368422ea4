//! A section to floats. A value costs one unaligned load of 64 bits, a second one if it is long.

use super::super::{bits::Bits, tag};
use super::{END, LEAD_BITS, LEN_BITS};
use crate::Fault;

const WHAT: &str = "floats";
/// Bits before those of a value that opens a window.
const OPENING: u32 = 2 + LEAD_BITS + LEN_BITS;
/// Bits that one load is sure to give.
const LOADED: u32 = 57;

/// Replaces `out` by the floats of a section, which must be `expected` many and then end.
pub fn decode(section: &[u8], expected: usize, out: &mut Vec<f64>) -> Result<(), Fault> {
    out.clear();
    let stream = match section.split_first() {
        Some((&tag::GORILLA, stream)) => stream,
        Some((byte, _)) => return Err(Fault::UnknownEncoding { what: WHAT, byte: *byte }),
        None => return Err(Fault::Truncated { what: WHAT }),
    };
    let bits = Bits::new(stream);
    // Every value has a bit at least, so this is also the bound of what is allocated.
    if bits.len() < 64 || expected > bits.len() - 64 + 1 {
        return Err(Fault::Truncated { what: WHAT });
    }
    out.resize(expected, 0.0);
    let end = fill(bits, out)?;
    padded(bits, end)
}

/// Reads values and the end; gives the place after it.
#[inline]
fn fill(bits: Bits<'_>, out: &mut [f64]) -> Result<usize, Fault> {
    let expected = out.len();
    let mut at = 64;
    let mut value = bits.read(0, 64);
    let (mut trail, mut len) = (0, 0);
    for (index, slot) in out.iter_mut().enumerate() {
        if value == END {
            return Err(Fault::CountMismatch { times: expected, values: index as u64 });
        }
        *slot = f64::from_bits(value);
        let word = bits.peek(at);
        if word >> 63 == 0 {
            at += 1;
        } else {
            let before = if word >> 62 == 0b10 {
                2
            } else {
                (trail, len) = window(word).ok_or(Fault::Window { index })?;
                OPENING
            };
            if len == 0 {
                return Err(Fault::Window { index });
            }
            let x = if before + len <= LOADED {
                word << before >> (64 - len)
            } else {
                bits.read(at + before as usize, len)
            };
            value ^= x << trail;
            at += (before + len) as usize;
        }
        if at > bits.len() {
            return Err(Fault::Truncated { what: WHAT });
        }
    }
    if value == END { Ok(at) } else { Err(more_than(expected)) }
}

/// Trailing zeros and length of the window that the bits open.
#[inline]
fn window(word: u64) -> Option<(u32, u32)> {
    #[expect(clippy::cast_possible_truncation, reason = "six bits at most")]
    let field = |skip: u32, len: u32| (word << skip >> (64 - len)) as u32;
    let lead = field(2, LEAD_BITS);
    let len = match field(2 + LEAD_BITS, LEN_BITS) {
        0 => 64,
        len => len,
    };
    Some((64_u32.checked_sub(lead + len)?, len))
}

/// How many more is not counted: a stream that does not end could go on for long.
#[cold]
fn more_than(expected: usize) -> Fault {
    Fault::CountMismatch { times: expected, values: expected as u64 + 1 }
}

/// What is left must be the zeros that fill the last byte.
fn padded(bits: Bits<'_>, end: usize) -> Result<(), Fault> {
    let left = bits.len() - end;
    if left < 8 && bits.peek(end) == 0 { Ok(()) } else { Err(Fault::Surplus { what: WHAT }) }
}
