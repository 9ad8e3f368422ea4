//! A store in one folder, composed from the settings it holds.
//!
//! ```text
//!   <store>/
//!     splitstore.toml   settings; written last when a store is made, so a folder without it is no store
//!     LOCK              held while open; names the process
//!     hot/              the fast tier's engine
//!     cold/cold.redb    the cheap tier
//!     meta.redb         base epoch, index, head
//!     tenured           headers that no compaction walks again
//!     links/            the link index, if one is kept
//!     work/             exists only while a run is in flight
//!     hot.damaged-<n>/  the hot tier as `repair` found it; may be removed
//! ```
//! Layout version 1. Opening never follows a symbolic link at the store's own path, so that two names cannot lead
//! to one store unnoticed; the tiers' folders may be links, to put them on other disks.
//!
//! Every key of the settings file is told in `docs/settings.md`; [`FolderSettings`] is that file.
//!
//! Start at [`StoreFolder::create`] and [`StoreFolder::open`].

mod settings;
pub use settings::{
    ColdEngine, FolderSettings, HotEngine, LAYOUT, Marking, MarksKind, PaceMode, PaceSettings, Purging,
    UnknownName,
};
mod error;
pub use error::{FolderError, Result};
mod store;
pub use store::{Opening, StoreFolder};
mod create;
mod engines;
mod parts;
pub use parts::{LocalParts, Parts};
mod head;
pub use head::LostHead;
mod place;
pub(crate) use place::WORK;
mod quiet_chain;
#[cfg(feature = "rocksdb")]
mod repair;
#[cfg(feature = "rocksdb")]
pub use repair::Repaired;
