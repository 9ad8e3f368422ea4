//! Integers to a section.

use super::super::{
    Family,
    bytes::put_varint,
    simple8b::{VALUE_MAX, encode as words},
    tag,
};
use super::{Integer, zigzag};

/// Appends the section of `values`; `deltas` is memory to work in.
pub fn encode<I: Integer>(values: &[I], family: Family, deltas: &mut Vec<u64>, out: &mut Vec<u8>) {
    let Some(first) = values.first() else { return };
    let first = zigzag(first.signed());
    deltas.clear();
    deltas.extend(values.windows(2).map(|pair| zigzag(pair[1].signed().wrapping_sub(pair[0].signed()))));
    let head = first.to_be_bytes();
    if values.len() > 2 && deltas.iter().all(|other| *other == deltas[0]) {
        out.push(tag::RLE);
        out.extend_from_slice(&head);
        put_varint(deltas[0], out);
        put_varint(deltas.len() as u64, out);
    } else if widest(first, deltas, family) > VALUE_MAX {
        out.push(tag::RAW);
        out.extend_from_slice(&head);
        out.extend(deltas.iter().flat_map(|delta| delta.to_be_bytes()));
    } else {
        out.push(tag::PACKED);
        out.extend_from_slice(&head);
        words::encode(deltas, runs(family), out);
    }
}

/// A number above `VALUE_MAX` if one of those that count is.
fn widest(first: u64, deltas: &[u64], family: Family) -> u64 {
    let first = if family == Family::Snapshot { first } else { 0 };
    deltas.iter().fold(first, |all, delta| all | delta)
}

fn runs(family: Family) -> words::Runs {
    match family {
        Family::Snapshot => words::Runs::WholeRest,
        Family::Compaction => words::Runs::Anywhere,
    }
}
