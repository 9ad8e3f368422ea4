//! New inputs out of old ones: a few small changes each.

use crate::INPUT_MAX;
use crate::dice::Dice;

/// Bytes at which parsers change their minds: ends of ranges, first bytes of sections, ends of varints.
const BYTES: [u8; 14] = [0, 1, 2, 3, 4, 0x0f, 0x10, 0x1c, 0x20, 0x2c, 0x7f, 0x80, 0xfe, 0xff];

/// Numbers of eight bytes at which arithmetic turns over.
const WORDS: [u64; 8] =
    [0, 1, u64::MAX, 1 << 63, (1 << 63) - 1, (1 << 60) - 1, 1 << 60, 0x7ff8_0000_0000_0001];

pub(crate) fn mutated(corpus: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut input = dice.one_of(corpus).clone();
    for _ in 0..=dice.below(4) {
        change(&mut input, corpus, dice);
    }
    input.truncate(INPUT_MAX);
    input
}

fn change(input: &mut Vec<u8>, corpus: &[Vec<u8>], dice: &mut Dice) {
    if input.is_empty() {
        return input.push(dice.byte());
    }
    let at = dice.below(input.len());
    let len = 1 + dice.below((input.len() - at).min(32));
    match dice.below(10) {
        0 => input[at] ^= 1 << dice.below(8),
        1 => input[at] = dice.byte(),
        2 => input[at] = *dice.one_of(&BYTES),
        3 => input[at] = input[at].wrapping_add(if dice.below(2) == 0 { 1 } else { 0xff }),
        4 => drop(input.drain(at..at + len)),
        5 => drop(input.splice(at..at, (0..len).map(|_| dice.byte()))),
        6 => {
            let copy = input[at..at + len].to_vec();
            let to = dice.below(input.len());
            drop(input.splice(to..to, copy));
        }
        7 => {
            let word = dice.one_of(&WORDS).to_be_bytes();
            let end = (at + word.len()).min(input.len());
            drop(input.splice(at..end, word));
        }
        8 => input.truncate(at),
        _ => {
            let other = dice.one_of(corpus);
            let from = dice.below(other.len() + 1);
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
    }
}
