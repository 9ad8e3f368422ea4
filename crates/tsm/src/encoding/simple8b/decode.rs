//! Words to values: counted first, then spread by loops of constant length.

use super::{COUNTS, by_selector};
use crate::Fault;

/// How many values words hold; the bytes must be whole words.
pub fn count(words: &[u8], what: &'static str) -> Result<u64, Fault> {
    let (words, rest) = words.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(Fault::Truncated { what });
    }
    Ok(words.iter().map(|word| COUNTS[usize::from(word[0] >> 4)] as u64).sum())
}

/// Spreads words over `out`, which is as long as [`count`] says; `convert` makes what is stored of a value.
pub(crate) fn spread<T, F: Fn(u64) -> T>(words: &[u8], mut out: &mut [T], convert: F) {
    for word in words.as_chunks::<8>().0 {
        let word = u64::from_be_bytes(*word);
        out = match word >> 60 {
            0 => ones(240, out, &convert),
            1 => ones(120, out, &convert),
            selector => by_selector!(selector, one_word [_, _], word, out, &convert),
        };
    }
}

#[inline]
fn one_word<'a, const N: usize, const BITS: usize, T, F: Fn(u64) -> T>(
    word: u64,
    out: &'a mut [T],
    convert: &F,
) -> &'a mut [T] {
    let (chunk, rest) = out.split_first_chunk_mut::<N>().expect("`out` is as long as the words say");
    let mask = (1 << BITS) - 1;
    for (index, value) in chunk.iter_mut().enumerate() {
        *value = convert((word >> (index * BITS)) & mask);
    }
    rest
}

fn ones<'a, T, F: Fn(u64) -> T>(count: usize, out: &'a mut [T], convert: &F) -> &'a mut [T] {
    let (run, rest) = out.split_at_mut(count);
    run.fill_with(|| convert(1));
    rest
}
