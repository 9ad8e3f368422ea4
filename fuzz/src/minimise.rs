//! Makes a failing input smaller, as long as it fails in the same way.

use crate::run::{Failure, Verdict, run};
use crate::targets::Target;

/// Runs that are spent on it.
const RUNS_MAX: usize = 20_000;

pub(crate) fn minimised(target: &Target, input: &[u8], failure: &Failure) -> Vec<u8> {
    let mut small = input.to_vec();
    let mut left = RUNS_MAX;
    let mut fails = |candidate: &[u8]| {
        left = left.saturating_sub(1);
        left > 0 && matches!(run(target, candidate), Verdict::Failed(other) if other.is_like(failure))
    };
    let mut piece = small.len() / 2;
    while piece > 0 {
        remove_pieces(&mut small, piece, &mut fails);
        piece /= 2;
    }
    for at in 0..small.len() {
        let byte = std::mem::replace(&mut small[at], 0);
        if byte != 0 && !fails(&small) {
            small[at] = byte;
        }
    }
    small
}

fn remove_pieces(small: &mut Vec<u8>, piece: usize, fails: &mut impl FnMut(&[u8]) -> bool) {
    let mut at = 0;
    while at < small.len() {
        let mut candidate = small.clone();
        candidate.drain(at..(at + piece).min(small.len()));
        if fails(&candidate) {
            *small = candidate;
        } else {
            at += piece;
        }
    }
}
