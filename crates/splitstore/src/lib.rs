//! The facade: everything re-exported, a feature per heavy adapter, and stores in a folder.
//!
#![doc = include_str!("../README.md")]
//!
//! # Modules
//!
//! ```text
//!   splitstore             SplitStore, Components, Options, ..     what a node calls
//!   splitstore::domain     Pacing, PurgeStrategy, SyncPolicy, ..   what Options and reports are made of; rules
//!   splitstore::ports      BlockRead, HotStore, Observer, ..       what an adapter implements; ports::cid::Cid
//!   splitstore::hot        rocksdb, fjall                          fast tiers
//!   splitstore::cold       redb                                    cheap tiers
//!   splitstore::meta       redb                                    small durable values
//!   splitstore::marksets   exact, disk, roaring, bloom             mark sets
//!   splitstore::chain      filecoin                                chains
//!   splitstore::memory     all ports in memory, for tests; stores that fail and record
//!   splitstore::system     files, clock and lock of this machine
//!   splitstore::car        archives
//!   splitstore::folder     a store in one folder, composed from its settings file
//!   splitstore::import     an archive into such a store
//!   splitstore::export     a chain out of it
//! ```
//! Start at [`SplitStore`] to compose your own, at [`folder::StoreFolder`] to open what the command line made.

pub use splitstore_car as car;
pub use splitstore_domain as domain;
pub use splitstore_domain::{Policy, Settings};
pub use splitstore_marksets as marksets;
pub use splitstore_memory as memory;
pub use splitstore_orchestrator::*;
pub use splitstore_ports as ports;

pub mod folder;

pub mod export;
pub mod import;
mod partial;
mod tracing_observer;
pub use tracing_observer::TracingObserver;

/// Fast tiers: everything lands here.
pub mod hot {
    #[cfg(feature = "fjall")]
    pub use splitstore_fjall as fjall;
    #[cfg(feature = "rocksdb")]
    pub use splitstore_rocksdb as rocksdb;
}

/// Cheap tiers: what is no longer live comes here.
pub mod cold {
    /// One redb file.
    pub mod redb {
        #[cfg(feature = "fault-injection")]
        pub use splitstore_redb::Disk;
        pub use splitstore_redb::{RedbCold, RedbOptions};
    }
}

/// Small durable values.
pub mod meta {
    /// One redb file.
    pub mod redb {
        pub use splitstore_redb::RedbMeta;
    }
}

/// Chains.
pub mod chain {
    pub use splitstore_filecoin as filecoin;
}

/// Files, clock and lock of this machine.
pub mod system {
    pub use splitstore_files::{OsFiles, StoreLock, SystemClock};
}

/// The example of the project's own front page.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct FrontPage;
