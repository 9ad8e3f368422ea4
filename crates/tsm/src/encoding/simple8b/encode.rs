//! Values to words: always the first selector, in the order of the table, whose word would be full.

use super::{BITS, COUNTS, by_selector};

/// When a run of ones becomes a word of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// Where the next 240, or the next 120, are ones.
    Anywhere,
    /// Only where all of the next 240 values, or of what is left if that is less, are ones.
    WholeWindow,
    /// Only where all that is left are ones.
    WholeRest,
}

/// Appends words for `values`, none of them above [`super::VALUE_MAX`].
pub fn encode(mut values: &[u64], runs: Runs, out: &mut Vec<u8>) {
    while !values.is_empty() {
        let (word, count) = run_of_ones(values, runs).unwrap_or_else(|| packed(values));
        out.extend_from_slice(&word.to_be_bytes());
        values = &values[count..];
    }
}

/// The word for a run, and its length.
fn run_of_ones(values: &[u64], runs: Runs) -> Option<(u64, usize)> {
    if values.len() < 120 || values[0] != 1 {
        return None;
    }
    let window = match runs {
        Runs::Anywhere if values.len() < 240 => 120,
        Runs::Anywhere => 240,
        Runs::WholeWindow => values.len().min(240),
        Runs::WholeRest => values.len(),
    };
    let ones = values[..window].iter().take_while(|value| **value == 1).count();
    if runs != Runs::Anywhere && ones < window {
        return None;
    }
    match ones {
        240.. => Some((0, 240)),
        120.. => Some((1 << 60, 120)),
        _ => None,
    }
}

/// A full word of small values, and how many they are.
fn packed(values: &[u64]) -> (u64, usize) {
    let selector = selector(values);
    let payload = by_selector!(selector, one_word [], values);
    (((selector as u64) << 60) | payload, COUNTS[selector])
}

/// Each value is looked at once: a selector that it does not fit is never tried again.
fn selector(values: &[u64]) -> usize {
    let mut selector = COUNTS.iter().skip(2).position(|count| *count <= values.len()).map_or(15, |at| at + 2);
    let mut seen = 0;
    while seen < COUNTS[selector] {
        let width = 64 - values[seen].leading_zeros();
        while width > BITS[selector] && seen < COUNTS[selector] {
            selector += 1;
        }
        seen += 1;
    }
    selector
}

#[inline]
fn one_word<const N: usize, const BITS: usize>(values: &[u64]) -> u64 {
    let chunk = values.first_chunk::<N>().expect("the selector holds no more than there are");
    chunk.iter().rev().fold(0, |word, value| (word << BITS) | value)
}

#[cfg(test)]
mod tests {
    use super::super::{VALUE_MAX, decode};
    use super::*;

    /// The rule as the format states it, tried selector by selector.
    fn by_the_rule(values: &[u64]) -> usize {
        let fits = |selector: &usize| {
            let chunk = values.get(..COUNTS[*selector]);
            chunk.is_some_and(|chunk| chunk.iter().all(|value| *value < 1 << BITS[*selector]))
        };
        (2..16).find(fits).unwrap()
    }

    fn decoded(words: &[u8]) -> Vec<u64> {
        let mut out = vec![0; usize::try_from(decode::count(words, "test").unwrap()).unwrap()];
        decode::spread(words, &mut out, |value| value);
        out
    }

    #[test]
    fn the_selector_is_that_of_the_rule() {
        let mut state = 7_u64;
        for round in 0..20_000_u64 {
            let len = usize::try_from(round % 70 + 1).unwrap();
            let width = |state: u64| 60 - (state >> 58).min(59);
            let values: Vec<u64> = (0..len)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let narrow = if round % 3 == 0 { width(state) } else { 1 + round % 9 };
                    (state >> 4) % (1 << narrow)
                })
                .collect();
            assert_eq!(selector(&values), by_the_rule(&values), "{values:?}");
        }
    }

    #[test]
    fn values_of_every_width_come_back() {
        for runs in [Runs::Anywhere, Runs::WholeWindow, Runs::WholeRest] {
            for len in [0, 1, 2, 59, 60, 61, 119, 120, 121, 239, 240, 241, 479, 480, 481, 1000] {
                for make in [|_| 1, |i| i % 2, |i| i, |i| VALUE_MAX - i, |i| u64::from(i != 130)] {
                    let values: Vec<u64> = (0..len).map(make).collect();
                    let mut words = Vec::new();
                    encode(&values, runs, &mut words);
                    assert_eq!(decoded(&words), values, "{runs:?} {len}");
                }
            }
        }
    }

    #[test]
    fn a_run_of_ones_is_a_word_where_the_family_says_so() {
        let words = |values: &[u64], runs| {
            let mut out = Vec::new();
            encode(values, runs, &mut out);
            out.as_chunks::<8>().0.iter().map(|word| word[0] >> 4).collect::<Vec<_>>()
        };
        let then = |ones: usize| [vec![1; ones], vec![0]].concat();
        assert_eq!(words(&then(240), Runs::Anywhere), [0, 15]);
        assert_eq!(words(&then(240), Runs::WholeWindow), [0, 15]);
        assert_eq!(words(&then(240), Runs::WholeRest), [2, 2, 2, 2, 15]);
        assert_eq!(words(&then(150), Runs::Anywhere), [1, 3, 15]);
        assert_eq!(words(&then(150), Runs::WholeWindow), [2, 2, 3, 15]);
        assert_eq!(words(&[1; 360], Runs::WholeRest), [0, 1]);
    }
}
