//! The split store: two-tier reads, one write path, compaction in seven phases. It composes ports and owns
//! all concurrency; it knows no adapter.
//!
//! ```text
//!             node                                     what a crash leaves
//!      get has view | put_many
//!      +-----------v-----------+     prepare   -> |
//!      | SplitStore            |     mark      -> | nothing was deleted:
//!      |   Protection: permits |     collect   -> | the run is dropped
//!      |   Run: seven phases --+-->  transfer  -> |
//!      +-----+-----------+-----+     seal      -> |
//!         hot|       cold|           purge     -> | the same purge goes on
//!         +--v--+     +--v--+        commit    -> | from its cursor
//!         +-----+     +-----+
//! ```
//! Start at [`SplitStore`] (what a node calls) and [`Run`] (what one compaction does). Words have the meaning
//! that `docs/glossary.md` gives them.

mod batches;
pub use batches::Batches;
mod components;
pub use components::{
    Components, ExactFactory, MarkSets, MarkStrategy, MissingReferences, Options, Support, Trigger,
};
mod store;
pub use store::{Info, SplitStore};
mod control;
pub use control::{Failure, Status};
mod access;
pub use access::Untracked;
mod protector;
pub use protector::Protector;
mod run;
pub use run::{Run, Step};
mod export;
pub use export::Exported;
mod error;
pub use error::{Error, Result};

mod all_keys;
mod archive;
mod audit;
mod candidates;
mod chain_walk;
mod children;
mod conductor;
mod disks;
mod doom;
pub use conductor::Pace;
mod filter;
mod forks;
mod graph;
mod growth;
mod journal;
mod known;
mod ledger;
mod links;
mod mark_notes;
mod marks_file;
mod pacer;
mod protection;
mod quarantine;
mod records;
mod recover;
mod secret;
mod sets;
mod stream;
#[cfg_attr(interleaved, path = "../../splitstore-model/src/sync.rs")]
mod sync;
mod tenured;
mod tiers;
mod views;
mod walk;
mod whole;
