//! A section to timestamps, or to their count alone.

use super::super::{
    bytes::{nothing_left, take_u64, take_varint, within},
    simple8b::decode as words,
    tag,
};
use super::{POWER_MAX, POWERS};
use crate::Fault;

const WHAT: &str = "timestamps";

/// What a section says, before anything is decoded.
enum Form<'a> {
    Raw { first: i64, deltas: &'a [[u8; 8]] },
    Packed { first: i64, words: &'a [u8], factor: u64 },
    Rle { first: i64, delta: u64, count: u64 },
}

/// How many timestamps a section holds. Nothing is decoded and nothing allocated.
pub fn count(section: &[u8]) -> Result<u64, Fault> {
    if section.is_empty() { Ok(0) } else { parse(section)?.count() }
}

/// Replaces `out` by the timestamps of a section; refuses more than `limit`.
pub fn decode(section: &[u8], limit: usize, out: &mut Vec<i64>) -> Result<(), Fault> {
    out.clear();
    if section.is_empty() {
        return Ok(());
    }
    let form = parse(section)?;
    let count = within(form.count()?, limit, WHAT)?;
    out.resize(count, 0);
    form.fill(out);
    Ok(())
}

fn parse(section: &[u8]) -> Result<Form<'_>, Fault> {
    let (tag, rest) = section.split_first().ok_or(Fault::Truncated { what: WHAT })?;
    let (encoding, power) = (tag & 0xf0, tag & 0x0f);
    let known = power <= POWER_MAX && (encoding != tag::RAW || power == 0);
    let factor = POWERS[usize::from(power.min(POWER_MAX))];
    let (first, rest) = take_u64(rest, WHAT)?;
    let first = first.cast_signed();
    match encoding {
        tag::RAW if known => {
            let (deltas, torn) = rest.as_chunks::<8>();
            if torn.is_empty() {
                Ok(Form::Raw { first, deltas })
            } else {
                Err(Fault::Truncated { what: WHAT })
            }
        }
        tag::PACKED if known => Ok(Form::Packed { first, words: rest, factor }),
        tag::RLE if known => {
            let (delta, rest) = take_varint(rest, "the difference of timestamps")?;
            let (count, rest) = take_varint(rest, "the count of timestamps")?;
            nothing_left(rest, WHAT)?;
            Ok(Form::Rle { first, delta: delta.wrapping_mul(factor), count })
        }
        _ => Err(Fault::UnknownEncoding { what: WHAT, byte: *tag }),
    }
}

impl Form<'_> {
    fn count(&self) -> Result<u64, Fault> {
        match self {
            Self::Raw { deltas, .. } => Ok(1 + deltas.len() as u64),
            Self::Packed { words, .. } => Ok(1 + words::count(words, WHAT)?),
            Self::Rle { count, .. } => Ok(*count),
        }
    }

    /// Fills `out`, which is as long as the count.
    fn fill(self, out: &mut [i64]) {
        match self {
            Self::Rle { first, delta, .. } => {
                let mut time = first;
                for slot in out {
                    *slot = time;
                    time = time.wrapping_add(delta.cast_signed());
                }
            }
            Self::Raw { first, deltas } => {
                out[0] = first;
                let pairs = out[1..].iter_mut().zip(deltas);
                pairs.for_each(|(slot, delta)| *slot = i64::from_be_bytes(*delta));
                sum(out);
            }
            Self::Packed { first, words, factor } => {
                out[0] = first;
                words::spread(words, &mut out[1..], |value| value.wrapping_mul(factor).cast_signed());
                sum(out);
            }
        }
    }
}

/// Differences to times.
fn sum(out: &mut [i64]) {
    let mut time = 0_i64;
    for slot in out {
        time = time.wrapping_add(*slot);
        *slot = time;
    }
}
