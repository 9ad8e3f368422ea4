//! The redb adapters: the contract of their ports, and what redb leaves to its user.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use splitstore_conformance::{InFolder, cold_store, meta_store};
use splitstore_redb::{RedbCold, RedbMeta};

mod crash;
mod damage;
mod opening;
mod place;
mod reclaim;
mod writing;

cold_store!(cold, || InFolder::new(|folder| RedbCold::open(folder.join("cold.redb"), place::options())));
meta_store!(meta, || InFolder::new(|folder| RedbMeta::open(folder.join("meta.redb"))));
