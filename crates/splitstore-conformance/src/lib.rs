//! The contract of every port as named tests, for adapters here and downstream.
//!
//! A *clause* is a function whose doc quotes the sentence of the contract that it holds an adapter to. A
//! *suite* is a macro that makes one `#[test]` per clause, named after it:
//!
//! ```text
//!   hot_store!(redb, || InFolder::new(RedbStore::open));
//!
//!   test redb::what_was_deleted_is_not_found ... ok
//!   test redb::a_scan_does_not_see_later_puts ... ok
//! ```
//! | suite | closure makes |
//! |---|---|
//! | [`hot_store!`], [`cold_store!`], [`meta_store!`] | a [`Fixture`] that opens the store, again and again |
//! | [`hot_place!`] | an [`InFolder`], for hot stores on disk |
//! | [`mark_set!`], [`visit_set!`] | a factory |
//! | [`file_system!`] | a `FileSystem` |
//! | [`chain_accessor!`] | a [`chain::DrawnChain`] |
//! | [`clock!`] | a `Clock` |
//!
//! What an adapter promises beyond the contract (that it persists, that it locks) its fixture says as [`Caps`];
//! no clause asks for a name. Clauses panic with what was expected and what was found: they are tests.

mod fixture;
mod suites;
pub use fixture::{Caps, Exclusive, Fixture, InFolder, Persistent};
pub mod sample;
mod universe;
pub use universe::Universe;
mod probe;
pub use probe::Blocks;

pub mod block_scan;
pub mod blocks;
pub mod chain;
pub mod cold;
pub mod delete;
pub mod durable;
pub mod files;
pub mod link_notes;
pub mod maintenance;
pub mod marks;
pub mod meta;
pub mod notes;
pub mod places;
pub mod rewrite;
pub mod scan;
pub mod threads;
pub mod visits;
