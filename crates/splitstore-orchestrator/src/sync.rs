//! The locks and atomics that protection is made of, by the names it calls them.
//!
//! The interleaving model (`crates/splitstore-model`) compiles this very crate with another file in the place of
//! this one: loom's locks, and fewer of them. So what is checked there is what runs here.

pub(crate) use std::hash::RandomState;
pub(crate) use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

pub(crate) use parking_lot::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Writers and views are each spread over so many locks that hardly ever meet.
pub(crate) const SHARDS: usize = 32;

/// References are spread over so many. What stands behind one of them grows by doubling while it is locked: the more
/// there are, the shorter a reader waits for that.
pub(crate) const REFERENCE_SHARDS: usize = 128;
