//! A section to integers, or to their count alone.

use super::super::{
    bytes::{as_many, nothing_left, take_u64, take_varint},
    simple8b::decode as words,
    tag,
};
use super::{Integer, unzigzag};
use crate::Fault;

const WHAT: &str = "integers";

/// What a section says, before anything is decoded.
enum Form<'a> {
    Raw { first: i64, deltas: &'a [[u8; 8]] },
    Packed { first: i64, words: &'a [u8] },
    Rle { first: i64, delta: i64, deltas: u64 },
}

/// How many integers a section holds.
pub fn count(section: &[u8]) -> Result<u64, Fault> {
    if section.is_empty() { Ok(0) } else { parse(section)?.count() }
}

/// Replaces `out` by the integers of a section, which must be `expected` many.
pub fn decode<I: Integer>(section: &[u8], expected: usize, out: &mut Vec<I>) -> Result<(), Fault> {
    out.clear();
    if section.is_empty() {
        return as_many(0, expected);
    }
    let form = parse(section)?;
    as_many(form.count()?, expected)?;
    out.resize(expected, I::default());
    form.fill(out);
    Ok(())
}

fn parse(section: &[u8]) -> Result<Form<'_>, Fault> {
    let (tag, rest) = section.split_first().ok_or(Fault::Truncated { what: WHAT })?;
    let (first, rest) = take_u64(rest, WHAT)?;
    let first = unzigzag(first);
    match *tag {
        tag::RAW => {
            let (deltas, torn) = rest.as_chunks::<8>();
            if torn.is_empty() {
                Ok(Form::Raw { first, deltas })
            } else {
                Err(Fault::Truncated { what: WHAT })
            }
        }
        tag::PACKED => Ok(Form::Packed { first, words: rest }),
        tag::RLE => {
            let (delta, rest) = take_varint(rest, "the difference of integers")?;
            let (deltas, rest) = take_varint(rest, "the count of integers")?;
            nothing_left(rest, WHAT)?;
            Ok(Form::Rle { first, delta: unzigzag(delta), deltas })
        }
        byte => Err(Fault::UnknownEncoding { what: WHAT, byte }),
    }
}

impl Form<'_> {
    fn count(&self) -> Result<u64, Fault> {
        match self {
            Self::Raw { deltas, .. } => Ok(1 + deltas.len() as u64),
            Self::Packed { words, .. } => Ok(1 + words::count(words, WHAT)?),
            // 2^64 - 1 differences would be 2^64 integers; nobody has that many timestamps either.
            Self::Rle { deltas, .. } => Ok(deltas.saturating_add(1)),
        }
    }

    /// Fills `out`, which is as long as the count.
    fn fill<I: Integer>(self, out: &mut [I]) {
        match self {
            Self::Rle { first, delta, .. } => {
                let mut value = first;
                for slot in out {
                    *slot = I::of_signed(value);
                    value = value.wrapping_add(delta);
                }
            }
            Self::Raw { first, deltas } => {
                out[0] = I::of_signed(first);
                let pairs = out[1..].iter_mut().zip(deltas);
                pairs.for_each(|(slot, delta)| *slot = I::of_signed(unzigzag(u64::from_be_bytes(*delta))));
                sum(out);
            }
            Self::Packed { first, words } => {
                out[0] = I::of_signed(first);
                words::spread(words, &mut out[1..], |value| I::of_signed(unzigzag(value)));
                sum(out);
            }
        }
    }
}

/// Differences to values.
fn sum<I: Integer>(out: &mut [I]) {
    let mut value = 0_i64;
    for slot in out {
        value = value.wrapping_add(slot.signed());
        *slot = I::of_signed(value);
    }
}
