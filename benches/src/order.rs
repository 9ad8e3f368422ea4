//! Random order, the same on every run.

/// Puts `items` in a random order that depends on their number alone (Fisher and Yates, `SplitMix64`).
pub(crate) fn shuffled<T>(mut items: Vec<T>) -> Vec<T> {
    let mut state = 0;
    for last in (1..items.len()).rev() {
        let other = next(&mut state) % (last as u64 + 1);
        // At most `last`, so it fits.
        items.swap(last, usize::try_from(other).unwrap_or(last));
    }
    items
}

fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A part of `items` of `length`, another one each `turn`; together all of them.
pub(crate) fn part<T>(items: &[T], length: usize, turn: usize) -> &[T] {
    let parts = items.len().div_ceil(length.max(1)).max(1);
    items.chunks(length.max(1)).nth(turn % parts).unwrap_or_default()
}
