//! Stands in for the orchestrator's `sync` module: loom's locks and atomics under `parking_lot`'s interface.
//!
//! Loom runs one thread at a time, tries every order of their steps, and lets a relaxed load see every value
//! that the memory model allows.

use std::hash::{BuildHasherDefault, DefaultHasher};

pub(crate) use loom::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
pub(crate) use loom::sync::{MutexGuard, RwLockReadGuard, RwLockWriteGuard};

/// Two: blocks that share a lock are met, and blocks that do not.
pub(crate) const SHARDS: usize = 2;
/// As few, for references.
pub(crate) const REFERENCE_SHARDS: usize = 2;

/// Hashes alike in every run: an interleaving is found again only if nothing else differs.
#[derive(Default)]
pub(crate) struct RandomState(BuildHasherDefault<DefaultHasher>);

impl RandomState {
    pub(crate) fn new() -> Self {
        Self::default()
    }
}

impl std::hash::BuildHasher for RandomState {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        self.0.build_hasher()
    }
}

/// A lock that is never poisoned: a panic ends the whole exploration.
#[derive(Default)]
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().expect("loom poisons nothing")
    }
}

/// As above, for readers and writers.
#[derive(Default)]
pub(crate) struct RwLock<T>(loom::sync::RwLock<T>);

impl<T> RwLock<T> {
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, T> {
        self.0.read().expect("loom poisons nothing")
    }

    /// Loom lets readers in while a writer waits, so every read may be recursive.
    pub(crate) fn read_recursive(&self) -> RwLockReadGuard<'_, T> {
        self.read()
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write().expect("loom poisons nothing")
    }
}
