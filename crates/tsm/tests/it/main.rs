//! Tests of TSM files, one binary.
#![expect(clippy::unwrap_used, reason = "tests")]

mod data;
mod dice;
mod sample;

mod bit_flips;
mod cache;
mod codecs;
mod memory;
mod merge;
mod python;
mod real_files;
mod repair;
mod round_trip;
mod segments;
mod tombstones;
mod vectors;
mod verify;
