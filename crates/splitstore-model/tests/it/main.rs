//! Every interleaving of a run with readers and writers, up to a number of preemptions, of the orchestrator's
//! own source under loom.
//!
//! ```text
//!   thread 1   run:     .. seal | purge | commit             stepped to where it matters before others begin
//!   thread 2   node:    has, get, view, put
//!   after      what was promised is there, read through the store and behind it
//! ```
//! Each test says the promise. Each also counts both outcomes of the race it is about, as a model that never
//! sees one of them has shown nothing.

#![expect(clippy::unwrap_used, reason = "what a test cannot unwrap has failed it")]

mod explore;
mod node;
mod puts;
mod reads;
mod rewrites;
mod sets;
mod shelf;
mod views;
