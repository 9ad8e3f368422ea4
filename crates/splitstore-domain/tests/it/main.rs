//! What is true of a split store, as sentences.
#![expect(clippy::unwrap_used, reason = "tests may unwrap, their shared parts too")]

mod archive;
mod audit;
mod bytes;
mod digests;
mod epochs;
mod keys;
mod links;
mod links_differential;
mod links_hostile;
mod links_mutated;
mod pacing;
mod phases;
mod policies;
mod prints;
mod purges;
mod retain;
mod sample;
mod triggers;
mod windows;
