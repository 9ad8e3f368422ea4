//! Collect: every key that hot holds, against the marks. Only what this saw can be deleted.
//!
//! ```text
//!   marked by walk               keys of hot, in order, looked up -> plan, list of candidates
//!   marked by bitmap, dry run    blocks of the snapshot, in order, and their bits -> the same
//!   marked by bitmap             the bitmap -> how many stay, move and go; transfer's pass lists them (`pass.rs`)
//! ```
//! Keys are those of a snapshot taken after protection went on, so a block written later is no candidate, and a
//! block that is here but was written again meanwhile is a reference. A scan has numbered all of them; a link index may know
//! fewer: then there are more than are counted here, which the pass finds.

use std::ops::ControlFlow;
use std::sync::Arc;

use splitstore_domain::{BlockKey, CompactionPlan, MarkedBy, PhaseReport, Tally};
use splitstore_ports::{BlockSnapshot, KeyCursor, KeyEntry};

use super::absent::Absent;
use super::linked::Learned;
use super::listing::Listing;
use super::mark::Marked;
use super::ordered::{Counts, Fates, Marks, Ordered, Seen, Sets, fate};
use super::{Advance, Purpose, Work, count};
use crate::archive::Archive;
use crate::error::Result;
use crate::sets::WalkSets;
use crate::store::Inner;
use crate::tenured::Tenured;

/// A step that begins a scan anew is worth so many batches of a cursor that goes on.
pub(super) const BATCHES_PER_SCAN: usize = 16;

/// What was collected.
pub(crate) enum Collected<'a> {
    Listed(Box<Listed>),
    Counted(Box<Counted<'a>>),
}

/// Evidence: the candidates are written, durably.
pub(crate) struct Listed {
    pub(crate) work: Work,
    pub(crate) sets: WalkSets,
    pub(crate) archive: Archive,
    pub(crate) plan: CompactionPlan,
    pub(crate) chunks: u64,
}

/// Evidence: everything in the window is marked in a bitmap of this snapshot, or in the set behind that.
pub(crate) struct Counted<'a> {
    pub(super) work: Work,
    pub(super) sets: WalkSets,
    pub(super) moving: Option<WalkSets>,
    pub(super) archive: Archive,
    pub(super) missing: Absent,
    pub(super) tenured: Option<Arc<Tenured>>,
    pub(super) snapshot: Box<dyn BlockSnapshot + 'a>,
    pub(super) by: MarkedBy,
    /// For the link index.
    pub(super) learned: Option<Learned>,
}

/// The phase under way.
pub(crate) enum Collecting<'a> {
    List(Box<Listings<'a>>),
    Count(Box<Counted<'a>>),
}

/// Listing under way.
pub(crate) struct Listings<'a> {
    work: Work,
    sets: WalkSets,
    moving: Option<WalkSets>,
    archive: Archive,
    tenured: Option<Arc<Tenured>>,
    keys: Keys<'a>,
    listing: Listing,
    batch: Vec<KeyEntry>,
}

/// Where the keys come from.
enum Keys<'a> {
    Cursor(Box<dyn KeyCursor + 'a>),
    Snapshot(Ordered<'a>),
}

impl<'a> Collecting<'a> {
    pub(crate) fn new(cx: &'a Inner, marked: Marked<'a>, purpose: Purpose) -> Result<Self> {
        let Marked { work, sets, moving, archive, missing, tenured, snapshot, learned, marking } = marked;
        let by = marking.by;
        let keys = match (snapshot, purpose) {
            (Some(snapshot), Purpose::Compact | Purpose::Finish) => {
                let counted =
                    Counted { work, sets, moving, archive, missing, tenured, snapshot, by, learned };
                return Ok(Self::Count(Box::new(counted)));
            }
            (Some(snapshot), Purpose::Plan) => Keys::Snapshot(Ordered::new(snapshot, by)),
            (None, _) => Keys::Cursor(cx.tiers.hot.keys()?),
        };
        let listing = Listing::begin(cx, &work, missing)?;
        let batch = Vec::new();
        Ok(Self::List(Box::new(Listings { work, sets, moving, archive, tenured, keys, listing, batch })))
    }

    pub(crate) fn step(self, cx: &Inner, meter: &mut PhaseReport) -> Result<Advance<Self, Collected<'a>>> {
        match self {
            Self::List(mut listings) => Ok(match listings.step(cx, meter)? {
                Seen::Some => Advance::More(Self::List(listings)),
                Seen::All => Advance::Done(Collected::Listed(Box::new(listings.finish(cx)?))),
            }),
            Self::Count(counted) => {
                count(meter, counted.counts().all, 0);
                Ok(Advance::Done(Collected::Counted(counted)))
            }
        }
    }
}

impl Listed {
    /// What cold gets.
    pub(super) fn for_cold(&self) -> Tally {
        self.plan.transfer + self.plan.copy
    }
}

impl Counted<'_> {
    /// What becomes of how many; there may be more of which a link index does not know.
    pub(crate) fn counts(&self) -> Counts {
        let sets = Sets { live: &self.sets, moving: self.moving.as_ref(), tenured: None };
        Fates::of(sets, self.archive.gets).expect("a snapshot comes with the bitmap of it").count()
    }
}

impl Listings<'_> {
    fn step(&mut self, cx: &Inner, meter: &mut PhaseReport) -> Result<Seen> {
        let most = cx.options.batches.scan.get();
        let Self { sets, moving, archive, tenured, keys, listing, batch, .. } = self;
        match keys {
            Keys::Cursor(cursor) => {
                batch.clear();
                cursor.next_batch(batch, most)?;
                count(meter, batch.len() as u64, batch.iter().map(|entry| entry.size).sum());
                let keys: Vec<BlockKey> = batch.iter().map(|entry| entry.key.clone()).collect();
                // From here on the marks stand alone: what is final and hot is among them.
                tenured.as_ref().map_or(Ok(()), |tenured| tenured.visit(&keys, sets))?;
                let live = sets.marked(&keys)?;
                let moves = moving.as_ref().map(|moving| moving.marked(&keys)).transpose()?;
                for (at, entry) in batch.iter().enumerate() {
                    let moves = moves.as_ref().is_some_and(|moves| moves[at]);
                    let fate = fate(archive.gets, Marks::of([live[at], moves]));
                    listing.add(cx, (&entry.key, entry.codec, entry.size), fate)?;
                }
                Ok(if batch.is_empty() { Seen::All } else { Seen::Some })
            }
            Keys::Snapshot(ordered) => {
                let sets = Sets { live: sets, moving: moving.as_ref(), tenured: tenured.as_deref() };
                let fates = Fates::of(sets, archive.gets).expect("a snapshot comes with the bitmap of it");
                let mut left = most.saturating_mul(BATCHES_PER_SCAN);
                let seen = ordered.go_on(&fates, &mut |fate, block| {
                    let size = block.data.len() as u64;
                    count(meter, 1, size);
                    listing.add(cx, (block.key, block.codec, size), fate)?;
                    left = left.saturating_sub(1);
                    Ok(if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
                })?;
                if seen == Seen::All {
                    ordered.check(cx, &fates)?;
                }
                Ok(seen)
            }
        }
    }

    fn finish(self, cx: &Inner) -> Result<Listed> {
        let Self { work, sets, archive, listing, .. } = self;
        let (plan, chunks) = listing.finish(cx, &work.folder)?;
        Ok(Listed { work, sets, archive, plan, chunks })
    }
}
