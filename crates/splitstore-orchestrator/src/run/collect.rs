//! Collect: every key that hot holds, against the marks. Only what this saw can be deleted.
//!
//! ```text
//!   marked by walk, or a dry run   keys of hot, in order -> plan, list of candidates
//!   marked by link index           the same, each key looked up; what is marked has to be there
//!   marked by scan                 the bitmap -> how many stay, move and go; transfer's pass lists them (`pass.rs`)
//! ```
//! Keys are those of a snapshot taken after protection went on, so a block written later is no candidate, and a
//! block that is here but was written again meanwhile is a reference. A link index that has marked a block which hot
//! lacks is no longer believed, and the run ends here.

use std::ops::ControlFlow;
use std::sync::Arc;

use splitstore_domain::{BlockKey, CompactionPlan, PhaseReport, Tally};
use splitstore_ports::{BlockSnapshot, KeyCursor, KeyEntry};

use super::absent::Absent;
use super::listing::Listing;
use super::mark::Marked;
use super::ordered::{Fates, Marks, Ordered, Seen, fate};
use super::{Advance, Purpose, Work, count};
use crate::archive::Archive;
use crate::error::Result;
use crate::links;
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

/// Evidence: everything in the window is marked in a bitmap of this snapshot.
pub(crate) struct Counted<'a> {
    pub(super) work: Work,
    pub(super) sets: WalkSets,
    pub(super) moving: Option<WalkSets>,
    pub(super) archive: Archive,
    pub(super) missing: Absent,
    pub(super) snapshot: Box<dyn BlockSnapshot + 'a>,
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
    /// How many were found that a link index has marked.
    found: u64,
}

/// Where the keys come from.
enum Keys<'a> {
    Cursor(Box<dyn KeyCursor + 'a>),
    Snapshot(Ordered<'a>),
}

impl<'a> Collecting<'a> {
    pub(crate) fn new(cx: &'a Inner, marked: Marked<'a>, purpose: Purpose) -> Result<Self> {
        let Marked { work, sets, moving, archive, missing, tenured, snapshot, .. } = marked;
        let keys = match (snapshot, purpose) {
            (Some(snapshot), Purpose::Compact | Purpose::Finish) => {
                return Ok(Self::Count(Box::new(Counted { work, sets, moving, archive, missing, snapshot })));
            }
            (Some(snapshot), Purpose::Plan) => Keys::Snapshot(Ordered::new(snapshot)),
            (None, _) => Keys::Cursor(cx.tiers.hot.keys()?),
        };
        let listing = Listing::begin(cx, &work, missing)?;
        let (batch, found) = (Vec::new(), 0);
        Ok(Self::List(Box::new(Listings {
            work,
            sets,
            moving,
            archive,
            tenured,
            keys,
            listing,
            batch,
            found,
        })))
    }

    pub(crate) fn step(self, cx: &Inner, meter: &mut PhaseReport) -> Result<Advance<Self, Collected<'a>>> {
        match self {
            Self::List(mut listings) => Ok(match listings.step(cx, meter)? {
                Seen::Some => Advance::More(Self::List(listings)),
                Seen::All => Advance::Done(Collected::Listed(Box::new(listings.finish(cx)?))),
            }),
            Self::Count(counted) => {
                count(meter, counted.fates().count().all, 0);
                Ok(Advance::Done(Collected::Counted(counted)))
            }
        }
    }
}

impl Collected<'_> {
    pub(super) fn work(&self) -> &Work {
        match self {
            Self::Listed(listed) => &listed.work,
            Self::Counted(counted) => &counted.work,
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
    pub(crate) fn fates(&self) -> Fates<'_> {
        let fates = Fates::of(&self.sets, self.moving.as_ref(), self.archive.gets);
        fates.expect("a snapshot comes with the bitmap of it")
    }
}

impl Listings<'_> {
    fn step(&mut self, cx: &Inner, meter: &mut PhaseReport) -> Result<Seen> {
        let most = cx.options.batches.scan.get();
        let Self { sets, moving, archive, tenured, keys, listing, batch, found, .. } = self;
        match keys {
            Keys::Cursor(cursor) => {
                batch.clear();
                cursor.next_batch(batch, most)?;
                count(meter, batch.len() as u64, batch.iter().map(|entry| entry.size).sum());
                let keys: Vec<BlockKey> = batch.iter().map(|entry| entry.key.clone()).collect();
                // From here on the marks stand alone: what is final and hot is among them.
                tenured.as_ref().map_or(Ok(()), |tenured| tenured.visit(&keys, sets))?;
                *found += sets.marked_in_bitmap(&keys);
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
                let fates = Fates::of(sets, moving.as_ref(), archive.gets);
                let fates = fates.expect("a snapshot comes with the bitmap of it");
                let mut left = most.saturating_mul(BATCHES_PER_SCAN);
                ordered.go_on(fates.index(), &mut |ordinal, block| {
                    let size = block.data.len() as u64;
                    count(meter, 1, size);
                    listing.add(cx, (block.key, block.codec, size), fates.fate(ordinal))?;
                    left = left.saturating_sub(1);
                    Ok(if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
                })
            }
        }
    }

    fn finish(self, cx: &Inner) -> Result<Listed> {
        let Self { work, sets, archive, listing, keys, found, .. } = self;
        if let (Keys::Cursor(_), Some(bitmap)) = (keys, sets.bitmap()) {
            links::check_all_found(cx, bitmap.len(), found)?;
        }
        let (plan, chunks) = listing.finish(cx, &work.folder)?;
        Ok(Listed { work, sets, archive, plan, chunks })
    }
}
