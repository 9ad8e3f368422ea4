//! What readers and writers owe a running compaction, and what it owes them.
//!
//! ```text
//!   stage     Idle ----> Tracking ----------------------> Filtering ----------------> Idle
//!   run             prepare  mark  collect  transfer  seal          purge  commit
//!   read hit   -         recorded as a reference            unmarked reads as absent from hot
//!   put        -         written, then recorded             written with the marks of its DAG, one batch
//!   view       pinned    pinned, and recorded               as a read
//! ```
//! **Reads** (`get`, `has`, `size`) look at the moment before and after they have looked at the tiers, and an
//! idle store pays those two relaxed loads of one word. The moment counts every change of stage: a read that a
//! whole run has overtaken starts again (one load could not tell; the simulator found it). A hit is recorded
//! under a shard's lock, where the moment is looked at again, so that no reference comes between the last drain
//! and the filter.
//! **Writes** hold a shard of `writes` shared for their whole duration: the stage does not change under them.
//! **Views** are listed while their callback runs. Whoever changes the stage takes what is listed as
//! references, so that a view protects what it looks at however long it lasts, and no run waits for one.
//!
//! Lock order: `writes` (all, in order) -> `references` (all, in order) -> `views` (all, in order) -> `filter`.
//! No port is called under any of them but `writes`, which is shared by all who write.
//!
//! Invariants: the stage leaves `Idle` before the run reads its first root; every reference recorded in
//! `Tracking` is taken by the run, the last ones when the filter goes on.

use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use cid::Cid;
use splitstore_domain::{BlockKey, ObjectKind};
use splitstore_ports::{Reading, Visit};

use crate::filter::Filter;
use crate::known::{Fingerprints, Known};
use crate::sync::{
    AtomicU64, AtomicUsize, Mutex, MutexGuard, Ordering, REFERENCE_SHARDS, RwLock, RwLockReadGuard,
    RwLockWriteGuard, SHARDS,
};
use crate::views::{OpenView, Views};

/// Guards the tiers while a compaction runs.
pub(crate) struct Protection {
    /// Changes of stage so far, times four, plus the stage.
    moment: AtomicU64,
    writes: [RwLock<()>; SHARDS],
    references: [Mutex<References>; REFERENCE_SHARDS],
    views: Views,
    filter: RwLock<Option<Arc<Filter>>>,
    fingerprints: Fingerprints,
    next_writer: AtomicUsize,
}

/// How far protection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Stage {
    Idle = 0,
    Tracking = 1,
    Filtering = 2,
}

/// A stage, and which of all stages it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(u64);

impl Moment {
    pub(crate) const fn stage(self) -> Stage {
        match self.0 % STAGES {
            0 => Stage::Idle,
            1 => Stage::Tracking,
            _ => Stage::Filtering,
        }
    }
}

/// Room for the stage in a moment.
const STAGES: u64 = 4;

/// What was referenced since the run began.
#[derive(Default)]
struct References {
    /// Not taken by the run yet.
    fresh: Taken,
    /// Hits that were recorded once: they were there, so the run has walked them or will.
    known: Known,
}

/// References that a run has to walk.
#[derive(Default)]
pub(crate) struct Taken {
    /// Blocks that somebody found. A walk that visited such a block read it as well, or it was written since, and is
    /// among `written`: so only what was never visited is left to walk.
    pub(crate) found: Vec<Visit>,
    /// Blocks that were written, roots, open views: visited before, they may have been missing then.
    pub(crate) written: Vec<Visit>,
}

impl Taken {
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty() && self.written.is_empty()
    }

    pub(crate) fn len(&self) -> u64 {
        (self.found.len() + self.written.len()) as u64
    }

    /// Takes some: of each kind `most` at most.
    pub(crate) fn take(&mut self, most: usize) -> Self {
        let some = |of: &mut Vec<Visit>| of.split_off(of.len().saturating_sub(most));
        Self { found: some(&mut self.found), written: some(&mut self.written) }
    }

    fn append(&mut self, other: Self) {
        self.found.extend(other.found);
        self.written.extend(other.written);
    }
}

/// Leave to write; the stage does not change while it is held.
#[must_use]
pub(crate) struct WritePermit<'a> {
    _shard: RwLockReadGuard<'a, ()>,
}

/// What became of a reference.
#[must_use]
pub(crate) enum Noted {
    /// Nothing runs, or the run will walk it.
    Safe,
    /// The filter is on: ask it.
    Filtering(Arc<Filter>),
    /// The stage has changed since the reader looked: look again.
    Overtaken,
}

impl Default for Protection {
    fn default() -> Self {
        Self {
            moment: AtomicU64::new(Stage::Idle as u64),
            writes: Default::default(),
            references: std::array::from_fn(|_| Mutex::default()),
            views: Views::default(),
            filter: RwLock::default(),
            fingerprints: Fingerprints::random(),
            next_writer: AtomicUsize::new(0),
        }
    }
}

impl Protection {
    /// This moment. The next may differ, unless a [`WritePermit`] is held.
    pub(crate) fn moment(&self) -> Moment {
        Moment(self.moment.load(Ordering::Relaxed))
    }

    /// The stage at this moment.
    pub(crate) fn stage(&self) -> Stage {
        self.moment().stage()
    }

    /// Starts recording references. A view that is open records itself when it ends, or is taken when the filter
    /// goes on. What an earlier run knew is forgotten: this one has not walked it.
    /// Writers hear of `with` and of the stage at once.
    pub(crate) fn begin(&self, with: impl FnOnce()) {
        self.turn_to(Stage::Tracking, with);
    }

    /// Forgets the run: nothing is recorded or filtered any more.
    pub(crate) fn end(&self) {
        self.turn_to(Stage::Idle, || {});
    }

    /// From now on unmarked blocks are absent from hot. Returns the references that no drain has taken, those
    /// of open views included: the filter holds readers of unmarked blocks back until they are walked.
    pub(crate) fn install(&self, filter: Arc<Filter>) -> Taken {
        let _writers = self.stop_writers();
        let mut shards = self.stop_references();
        *self.filter.write() = Some(filter);
        let views = self.views.change(|| self.set(Stage::Filtering));
        let mut last = Taken::default();
        for shard in &mut shards {
            last.append(std::mem::take(&mut shard.fresh));
        }
        last.written.extend(views.iter().filter_map(reference_to));
        last
    }

    /// Takes leave to write.
    pub(crate) fn write(&self) -> WritePermit<'_> {
        let shard = self.next_writer.fetch_add(1, Ordering::Relaxed) % SHARDS;
        // Recursive: a writer may write again from a callback, also while the stage is about to change.
        WritePermit { _shard: self.writes[shard].read_recursive() }
    }

    /// Records that somebody found this block and may now rely on it and all below it. `since` is the moment at
    /// which a reader began to look; who is protected otherwise has none.
    pub(crate) fn found(&self, cid: &Cid, since: Option<Moment>) -> Noted {
        self.note(cid, since, References::add_found)
    }

    /// Records a block that was written, a registered root, an open view: it is walked even if it was known,
    /// because it may have been missing then. For callers who know that the stage is not `Filtering`.
    pub(crate) fn reference(&self, cid: &Cid) {
        let (Noted::Safe | Noted::Filtering(_) | Noted::Overtaken) =
            self.note(cid, None, References::add_written);
    }

    /// Lists a view while the guard lives, and says at what stage it began.
    pub(crate) fn view(
        &self,
        cid: &Cid,
        at: &'static Location<'static>,
        now: Duration,
    ) -> (OpenView<'_>, Stage) {
        self.views.open(cid, at, now, || self.stage())
    }

    /// The views that have been open for longer than `bound`: where they were taken, and for how long.
    pub(crate) fn views_older_than(
        &self,
        bound: Duration,
        now: Duration,
    ) -> Vec<(&'static Location<'static>, Duration)> {
        self.views.older_than(bound, now)
    }

    /// The filter that is on, if one is.
    pub(crate) fn filter(&self) -> Option<Arc<Filter>> {
        self.filter.read().clone()
    }

    /// Takes the references recorded since the last call.
    pub(crate) fn take_references(&self) -> Taken {
        let mut taken = Taken::default();
        for shard in &self.references {
            let fresh = std::mem::take(&mut shard.lock().fresh);
            taken.append(fresh);
        }
        taken
    }

    fn note(&self, cid: &Cid, since: Option<Moment>, add: fn(&mut References, u128, Visit)) -> Noted {
        let Some(visit) = reference_to(cid) else { return Noted::Safe };
        let fingerprint = self.fingerprints.of(&visit);
        let shard = usize::try_from(fingerprint % REFERENCE_SHARDS as u128).unwrap_or(0);
        let mut references = self.references[shard].lock();
        let now = self.moment();
        if since.is_some_and(|since| since != now) {
            return Noted::Overtaken;
        }
        match now.stage() {
            Stage::Idle => Noted::Safe,
            Stage::Tracking => {
                add(&mut references, fingerprint, visit);
                Noted::Safe
            }
            Stage::Filtering => self.filter().map_or(Noted::Safe, Noted::Filtering),
        }
    }

    /// Changes the stage with nothing known and no filter, in one step for whoever notes a reference: the stage
    /// that is seen under a shard's lock and the filter belong together.
    fn turn_to(&self, stage: Stage, with: impl FnOnce()) {
        let _writers = self.stop_writers();
        with();
        let mut shards = self.stop_references();
        *self.filter.write() = None;
        for shard in &mut shards {
            **shard = References::default();
        }
        self.views.change(|| self.set(stage));
    }

    fn stop_writers(&self) -> Vec<RwLockWriteGuard<'_, ()>> {
        self.writes.iter().map(RwLock::write).collect()
    }

    fn stop_references(&self) -> Vec<MutexGuard<'_, References>> {
        self.references.iter().map(Mutex::lock).collect()
    }

    fn set(&self, stage: Stage) {
        let changes = self.moment.load(Ordering::SeqCst) / STAGES + 1;
        self.moment.store(changes * STAGES + stage as u64, Ordering::SeqCst);
    }
}

impl References {
    fn add_found(&mut self, fingerprint: u128, visit: Visit) {
        if self.known.is_new(fingerprint, visit.reading) {
            self.fresh.found.push(visit);
        }
    }

    fn add_written(&mut self, _fingerprint: u128, visit: Visit) {
        self.fresh.written.push(visit);
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
