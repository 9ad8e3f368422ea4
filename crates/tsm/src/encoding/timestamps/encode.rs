//! Timestamps to a section.

use super::super::{
    Family,
    bytes::put_varint,
    simple8b::{VALUE_MAX, encode as words},
    tag,
};
use super::{POWER_MAX, POWERS};

/// Appends the section of `times`; `deltas` is memory to work in.
pub fn encode(times: &[i64], family: Family, deltas: &mut Vec<u64>, out: &mut Vec<u8>) {
    let Some(first) = times.first() else { return };
    let first = first.to_be_bytes();
    if let Some(step) = step(times) {
        let power = power(&[step]);
        out.push(tag::RLE | power);
        out.extend_from_slice(&first);
        put_varint(step / POWERS[usize::from(power)], out);
        put_varint(times.len() as u64, out);
        return;
    }
    deltas.clear();
    deltas.extend(times.windows(2).map(|pair| difference(pair[0], pair[1])));
    if deltas.iter().fold(0, |all, delta| all | delta) > VALUE_MAX {
        out.push(tag::RAW);
        out.extend_from_slice(&first);
        out.extend(deltas.iter().flat_map(|delta| delta.to_be_bytes()));
    } else {
        let power = power(deltas);
        out.push(tag::PACKED | power);
        out.extend_from_slice(&first);
        divide(deltas, power);
        words::encode(deltas, runs(family), out);
    }
}

fn difference(from: i64, to: i64) -> u64 {
    to.wrapping_sub(from).cast_unsigned()
}

/// Differences that are compared before it is asked whether one was another: so many fit vector registers.
const LANES: usize = 128;

/// The one difference between all neighbours, if there is one.
fn step(times: &[i64]) -> Option<u64> {
    let [first, second, ..] = times else { return None };
    let step = difference(*first, *second);
    let mut pieces = times.chunks(LANES).zip(times[1..].chunks(LANES));
    let steady = pieces.all(|(from, to)| {
        let others = from.iter().zip(to).fold(0, |all, (from, to)| all | (difference(*from, *to) ^ step));
        others == 0
    });
    steady.then_some(step)
}

fn runs(family: Family) -> words::Runs {
    match family {
        Family::Snapshot => words::Runs::WholeWindow,
        Family::Compaction => words::Runs::Anywhere,
    }
}

/// 5^-1 modulo 2^64: `5 * INVERSE_OF_5 == 1`, so it divides multiples of 5 exactly.
const INVERSE_OF_5: u64 = 0xcccc_cccc_cccc_cccd;

/// Division by 10^k of what it divides, as a shift and a multiplication.
#[derive(Clone, Copy)]
struct Divisor {
    power: u8,
    /// Inverse of 5^k.
    inverse: u64,
    /// The greatest quotient of a multiple of 5^k.
    quotient_max: u64,
}

/// One for each power of ten.
const DIVISORS: [Divisor; 13] = {
    let mut all = [Divisor { power: 0, inverse: 1, quotient_max: u64::MAX }; 13];
    let mut power = 1;
    let mut fives = 1_u64;
    while power <= POWER_MAX {
        fives *= 5;
        let inverse = all[power as usize - 1].inverse.wrapping_mul(INVERSE_OF_5);
        all[power as usize] = Divisor { power, inverse, quotient_max: u64::MAX / fives };
        power += 1;
    }
    all
};

impl Divisor {
    #[inline]
    fn divides(self, value: u64) -> bool {
        let twos = value & ((1 << self.power) - 1) == 0;
        twos && value.wrapping_mul(self.inverse) <= self.quotient_max
    }
}

/// The largest power of ten that divides all.
fn power(deltas: &[u64]) -> u8 {
    let mut divisor = DIVISORS[usize::from(POWER_MAX)];
    for delta in deltas {
        while !divisor.divides(*delta) {
            divisor = DIVISORS[usize::from(divisor.power) - 1];
        }
        if divisor.power == 0 {
            break;
        }
    }
    divisor.power
}

/// Divides by a power of ten that divides all.
fn divide(deltas: &mut [u64], power: u8) {
    let Divisor { power, inverse, .. } = DIVISORS[usize::from(power)];
    if power > 0 {
        for delta in deltas {
            *delta = (*delta >> power).wrapping_mul(inverse);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_by_multiplication_is_division() {
        let values = (0..64).flat_map(|bit| (0..40).map(move |add| (1_u64 << bit).wrapping_add(add)));
        let multiples = POWERS.iter().flat_map(|power| [*power, power * 3, power * 7_777_777, power - 1]);
        for value in values.chain(multiples).chain([u64::MAX, 0, u64::MAX / 10 * 10]) {
            for (power, ten) in POWERS.iter().enumerate() {
                assert_eq!(DIVISORS[power].divides(value), value % ten == 0, "{value} by 10^{power}");
                if value % ten == 0 {
                    let mut deltas = [value];
                    divide(&mut deltas, u8::try_from(power).unwrap());
                    assert_eq!(deltas[0], value / ten);
                }
            }
        }
    }
}
