//! What readers and writers owe a running compaction, and what it owes them.
//!
//! ```text
//!   gate      Idle ----> Tracking ----------------------> Filtering ----------------> Idle
//!   run             prepare  mark  collect  transfer  seal          purge  commit
//!   read hit   -         recorded as a reference            unmarked reads as absent from hot
//!   put        -         recorded as a reference            marked with its DAG and logged, then written
//! ```
//! A [`Permit`] (shared) spans every read and write; purge takes the gate exclusively for one batch at a
//! time, so between "is it marked?" and "delete it" no reference can appear. Permits nest: a callback under a
//! permit may read again.
//!
//! Invariants: the gate leaves `Idle` before the run reads its first root; a reference recorded in `Tracking`
//! is walked before the gate turns `Filtering`; in `Filtering` a block is marked before it is written.

use std::collections::BTreeSet;
use std::sync::Arc;

use cid::Cid;
use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};
use splitstore_domain::{BlockKey, ObjectKind};
use splitstore_ports::{Reading, Visit};

use crate::filter::Filter;

/// Guards the tiers while a compaction runs.
#[derive(Default)]
pub(crate) struct Protection {
    gate: RwLock<Gate>,
    references: Mutex<BTreeSet<Visit>>,
}

#[derive(Default)]
enum Gate {
    #[default]
    Idle,
    Tracking,
    Filtering(Arc<Filter>),
}

impl Gate {
    fn filter(&self) -> Option<&Arc<Filter>> {
        match self {
            Self::Filtering(filter) => Some(filter),
            Self::Idle | Self::Tracking => None,
        }
    }
}

/// Leave to read or write; hold it while the tiers are touched.
#[must_use]
pub(crate) struct Permit<'a> {
    gate: RwLockReadGuard<'a, Gate>,
    references: &'a Mutex<BTreeSet<Visit>>,
}

/// Leave to delete: no permit is out while it is held. Hold it for one batch.
#[must_use]
pub(crate) struct Exclusive<'a> {
    gate: RwLockWriteGuard<'a, Gate>,
    references: &'a Mutex<BTreeSet<Visit>>,
}

impl Protection {
    /// Starts recording references.
    pub(crate) fn begin(&self) {
        *self.gate.write() = Gate::Tracking;
    }

    /// Forgets the run: nothing is recorded or filtered any more.
    pub(crate) fn end(&self) {
        let mut gate = self.gate.write();
        *gate = Gate::Idle;
        self.references.lock().clear();
    }

    /// Takes leave to read or write.
    pub(crate) fn permit(&self) -> Permit<'_> {
        Permit { gate: self.gate.read_recursive(), references: &self.references }
    }

    /// Takes the gate alone.
    pub(crate) fn exclusive(&self) -> Exclusive<'_> {
        Exclusive { gate: self.gate.write(), references: &self.references }
    }

    /// Takes the references recorded since the last call.
    pub(crate) fn take_references(&self) -> Vec<Visit> {
        std::mem::take(&mut *self.references.lock()).into_iter().collect()
    }

    /// Records a reference whoever made it, while a run is tracking.
    pub(crate) fn reference(&self, cid: &Cid) {
        self.permit().touched(cid);
    }
}

impl Permit<'_> {
    /// The filter that reads of hot go through, once the marks are sealed.
    pub(crate) fn filter(&self) -> Option<&Arc<Filter>> {
        self.gate.filter()
    }

    /// Records that somebody now relies on this block and all below it.
    pub(crate) fn touched(&self, cid: &Cid) {
        if !matches!(&*self.gate, Gate::Tracking) {
            return;
        }
        if let Some(visit) = reference_to(cid) {
            self.references.lock().insert(visit);
        }
    }
}

impl Exclusive<'_> {
    /// Takes the references that came in before the gate closed.
    pub(crate) fn take_references(&self) -> Vec<Visit> {
        std::mem::take(&mut *self.references.lock()).into_iter().collect()
    }

    /// The filter that is on, if one is.
    pub(crate) fn filter(&self) -> Option<&Arc<Filter>> {
        self.gate.filter()
    }

    /// From now on unmarked blocks are absent from hot.
    pub(crate) fn install(&mut self, filter: Arc<Filter>) {
        *self.gate = Gate::Filtering(filter);
    }
}

/// How a reference to this CID is walked; `None` for what no tier stores.
pub(crate) fn reference_to(cid: &Cid) -> Option<Visit> {
    let reading = match ObjectKind::of(cid) {
        ObjectKind::Dag => Reading::Dag,
        ObjectKind::Opaque => Reading::Opaque,
        ObjectKind::Identity | ObjectKind::Unitary => return None,
    };
    Some(Visit { key: BlockKey::from(cid), reading })
}
