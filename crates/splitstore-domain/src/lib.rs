//! What is true of a split store: values, rules, plans. No I/O, no clock, no threads, no logging.
//!
//! ```text
//!   base              boundary                        head
//!    |==== eligible ====|------ 4 finalities, hot ------|    epochs ->
//!    |<------------- more than 5 finalities ----------->|    then we compact
//!
//!   headers   hot down to genesis          state     hot from boundary
//!   messages  hot from boundary - retention
//! ```
//! **Architecture invariant**: this crate depends on hashing and value crates only; everything in it is a
//! function of its arguments. `cargo xtask tidy` holds it to that.
//!
//! Start at [`Window`] (the cut of one compaction), [`retain`] (what a header contributes) and [`Phase`].

mod epoch;
pub use epoch::{Epoch, EpochSpan};
mod key;
pub use key::{BlockKey, KeyError};
pub mod digest;
pub mod object;
pub use object::ObjectKind;
mod chain;
pub mod links;
pub use chain::{HeadChange, HeaderView, Tipset, TipsetKey};
mod policy;
pub use policy::{ColdPolicy, Policy, PolicyError, Settings};
mod window;
pub use window::Window;
pub mod pacing;
mod phase;
pub mod retain;
mod sync_gate;
pub mod trigger;
pub use sync_gate::{SyncGate, SyncPolicy, SyncState};
mod hold;
pub use hold::Hold;
pub use pacing::{PaceLimits, PaceNow, Pacing};
pub use phase::Phase;
mod bytes;
pub mod note;
pub mod record;
pub use bytes::ByteCount;
mod marking;
pub use marking::{Fallback, MarkReport, MarkedBy};
mod plan;
pub use plan::{CompactionPlan, Tally};
pub mod purge;
pub use purge::{NoRoom, PurgeChoice, PurgeStrategy, PurgeWay, Shortfall};
mod report;
pub use report::{CompactionReport, PhaseReport, TierSizes};
mod laws;
pub use laws::{Audit, Violation};
