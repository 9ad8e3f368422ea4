//! The store against memory adapters: what it keeps, moves and deletes, and what a crash leaves of it.

#![expect(clippy::unwrap_used, reason = "what a test cannot unwrap has failed it")]

mod archive;
mod batches;
mod close;
mod concurrent;
mod control;
mod crash;
mod damage;
mod failures;
mod filter;
mod forks;
mod links;
mod lotus;
mod notes;
mod pacing;
mod passing;
mod policies;
mod reads;
mod reports;
mod resumed;
mod rewrites;
mod rig;
mod rig_disk;
mod scan;
mod space;
mod spill;
mod tenured;
