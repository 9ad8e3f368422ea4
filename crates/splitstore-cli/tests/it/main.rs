//! The real binary, as a user runs it: what it does, what it prints, how it ends.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod archives;
mod tool;

mod blocks;
mod chains;
mod cuts;
mod damage;
mod demo;
mod folders;
mod interrupted;
mod json;
mod link_index;
mod real;
#[cfg(feature = "rocksdb")]
mod repair;
mod settings;
mod targets;
