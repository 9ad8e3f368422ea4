//! Tests of TSM files, one binary.
#![expect(clippy::unwrap_used, reason = "tests")]

mod data;
mod sample;

mod cache;
mod codecs;
mod merge;
mod real_files;
mod round_trip;
mod vectors;
