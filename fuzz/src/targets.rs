//! What is fuzzed: functions of bytes that may refuse them, but neither panic nor take more than they are granted.

mod block;
mod file;
mod sample;
mod sections;
mod sidecars;

use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher};

use tsm::Limits;

/// A fingerprint of what a target did with an input.
pub(crate) type Outcome = u64;

/// Something to fuzz.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&[u8]) -> Outcome,
    pub(crate) seeds: fn() -> Vec<Vec<u8>>,
    /// Golden vectors that are seeds too.
    pub(crate) kinds: &'static [&'static str],
    /// Whether two bytes of count stand before the section.
    pub(crate) counted: bool,
}

/// Bytes that a run may hold at once: what the limits grant, some times over (as stored, decoded, encoded again and
/// decoded again), and copies of the input.
pub(crate) fn allowance(input: usize) -> u64 {
    8 * 1024 * 1024 + 64 * input as u64
}

/// What targets grant to an input.
pub(crate) const LIMITS: Limits =
    Limits { points: 1 << 16, block_bytes: 1 << 20, string_bytes: 1 << 19, tombstone_bytes: 1 << 19 };

pub(crate) const ALL: [Target; 10] = [
    file::TARGET,
    block::TARGET,
    sections::TIMESTAMPS,
    sections::INTEGERS,
    sections::UNSIGNED,
    sections::FLOATS,
    sections::BOOLEANS,
    sections::STRINGS,
    sidecars::TOMBSTONES,
    sidecars::STATS,
];

/// Of anything that prints; numbers do not count, or every input would be news.
fn outcome(what: &dyn Debug) -> Outcome {
    let mut hasher = DefaultHasher::new();
    format!("{what:?}").bytes().filter(|byte| !byte.is_ascii_digit()).for_each(|byte| byte.hash(&mut hasher));
    hasher.finish()
}

/// How large a number is, roughly: outcomes that differ in nothing else are told apart by it.
fn magnitude(number: usize) -> u32 {
    usize::BITS - number.leading_zeros()
}
