//! What a process of its own measures, each on a fresh copy of a stored chain.

pub(crate) mod cache;
pub(crate) mod compact;
pub(crate) mod files;
pub(crate) mod hits;
pub(crate) mod latency;
pub(crate) mod mark;
mod meter;
mod phases;
pub(crate) mod put;
pub(crate) mod reads;
pub(crate) mod waits;
