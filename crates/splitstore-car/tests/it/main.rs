//! Tests of the CAR reader and writer, one binary.
#![expect(clippy::unwrap_used, reason = "tests")]

mod sample;

mod bit_flips;
mod bombs;
mod forms;
mod headers;
mod real_files;
mod refusals;
mod round_trip;
mod truncation;
