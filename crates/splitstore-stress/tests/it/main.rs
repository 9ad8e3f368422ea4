//! The parts by themselves, a check that must find what is lost, and a small run of the whole.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod acknowledgements;
mod figures;
mod finds;
mod histograms;
mod lines;
mod lives;
mod rot;
mod smoke;
