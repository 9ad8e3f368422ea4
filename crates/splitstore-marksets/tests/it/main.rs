//! What the mark sets promise: the ports' contract, a model, damage, size.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bloom;
mod conformance;
mod disk;
mod model;
mod roaring;
mod sealed;
mod sets;
