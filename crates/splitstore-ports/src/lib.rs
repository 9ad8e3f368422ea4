//! What the split store asks of the world: traits and their contracts, no implementations.
//!
//! | port | asked of | called by |
//! |---|---|---|
//! | [`BlockRead`], [`BlockWrite`], [`BlockDelete`], [`KeyScan`] | engines | orchestrator, chain |
//! | [`Notes`] | hot engines: marks that come with a block | orchestrator |
//! | [`LinkNotes`] | hot engines that can keep the links of a block beside it | puts, marking by link index |
//! | [`HotStore`], [`ColdStore`] | what each tier must be able to do | orchestrator |
//! | [`BlockScan`] | engines that read in order much faster than block by block | marking by scan |
//! | [`RangeRewrite`] | engines that can leave blocks out while they rewrite | purge |
//! | [`Maintenance`] | engines that can give space back | orchestrator |
//! | [`MarkSet`], [`VisitSet`] and their factories | mark sets | compaction |
//! | [`ChainAccessor`], [`HeadListener`] | the node's chain | orchestrator |
//! | [`MetaStore`] | a small durable map | orchestrator |
//! | [`FileSystem`] | the disk, for our own files | journal, candidates, marks |
//! | [`Clock`], [`Observer`] | time in, typed events out | orchestrator |
//!
//! All ports are object-safe, synchronous, take `&self` and are `Send + Sync`. Batches are the primitive;
//! conveniences for one block live in [`BlockReadExt`] and [`BlockWriteExt`]. Absence is never an error.
//! Contracts say MUST and MAY; `splitstore-conformance` holds an adapter to them clause by clause.

pub use cid;
pub use splitstore_domain as domain;

mod error;
pub use error::{ErrorKind, PortError, Result};
mod block;
pub use block::{Block, BlockDelete, BlockRead, BlockWrite};
mod scan;
pub use scan::{KeyCursor, KeyEntry, KeyScan};
mod notes;
pub use notes::Notes;
mod link_notes;
pub use link_notes::LinkNotes;
mod block_scan;
pub use block_scan::{BlockScan, BlockSnapshot, KeyRange, OnBlock, ScannedBlock};
mod rewrite;
pub use rewrite::{Doomed, RangeRewrite, RewriteRange};
mod ext;
pub use ext::{BlockReadExt, BlockWriteExt};
mod tier;
pub use tier::{ColdStore, HotStore, Maintenance, ReclaimMode, Reclaimed};
mod marks;
pub use marks::{MarkSet, MarkSetFactory, SetHint};
mod visits;
pub use visits::{Reading, Visit, VisitSet, VisitSetFactory};
mod chain;
pub use chain::{ChainAccessor, HeadListener};
mod meta;
pub use meta::{MetaCell, MetaStore};
mod files;
pub use files::{FileSystem, FileWrite};
mod interrupt;
pub use interrupt::Interrupt;
mod clock;
pub use clock::Clock;
mod observer;
pub use observer::{Event, NoObserver, Observer};
