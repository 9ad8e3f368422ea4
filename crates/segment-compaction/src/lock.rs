//! Which segments are being compacted: a lease holds them all, or none.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use thiserror::Error;

use crate::generation::{Generation, SegmentId};
use crate::plan::{Group, Held, Hold};

/// Segments in use by compactions of this process.
#[derive(Debug, Clone, Default)]
pub struct GroupLock {
    busy: Arc<Mutex<BTreeSet<SegmentId>>>,
}

/// The segments of one group. They are free again when this is dropped.
#[must_use]
pub struct Lease {
    lock: GroupLock,
    segments: Vec<SegmentId>,
}

/// Another lease holds one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("segment {0} is in use by another compaction")]
pub struct InUse(pub SegmentId);

impl GroupLock {
    /// Nothing is in use.
    pub fn new() -> Self {
        Self::default()
    }

    /// Leases one group.
    pub fn acquire(&self, group: &Group) -> Result<Lease, InUse> {
        self.acquire_segments(&group.segments)
    }

    /// Leases all groups of a plan, one lease each, or none of them.
    pub fn acquire_all(&self, groups: &[Group]) -> Result<Vec<Lease>, InUse> {
        // Leases taken before a conflict are dropped with the iterator's result.
        groups.iter().map(|group| self.acquire(group)).collect()
    }

    /// Leases these segments.
    pub fn acquire_segments(&self, segments: &[SegmentId]) -> Result<Lease, InUse> {
        let mut busy = self.busy.lock();
        if let Some(taken) = segments.iter().find(|segment| busy.contains(segment)) {
            return Err(InUse(*taken));
        }
        busy.extend(segments);
        Ok(Lease { lock: self.clone(), segments: segments.to_vec() })
    }

    /// Generations with a segment in use.
    pub fn generations(&self) -> BTreeSet<Generation> {
        self.busy.lock().iter().map(|id| id.generation).collect()
    }

    /// The same, as the planner takes it.
    pub fn held(&self) -> Held {
        self.generations().into_iter().map(|generation| (generation, Hold::InUse)).collect()
    }
}

impl Lease {
    /// What it holds.
    pub fn segments(&self) -> &[SegmentId] {
        &self.segments
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut busy = self.lock.busy.lock();
        self.segments.iter().for_each(|segment| {
            busy.remove(segment);
        });
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.segments).finish()
    }
}
