//! Collection and transfer in one ordered pass over the snapshot that the run marked by.
//!
//! ```text
//!   snapshot   k0   k1   k2   k3   k4 ..
//!   bitmap     1    .    .    1    .        live: counted
//!   list            k1   k2        k4       every other one, in key order
//!   cold            k1             k4       what moves, in batches, while the next is read
//!   link index                              of what stays: in what time is left until a batch is written
//! ```
//! Nothing of it counts before the end: then the list is durable, cold is synced, and the plan is known. A crash
//! before drops the list, and so does a link index that has marked what is not there; what cold has by then is harmless there.
//!
//! How many blocks move is known from the bitmap (marked by link index: how many at least), how many bytes only at the end. So the
//! disk is asked for half of what can be expected before anything is copied, and for each batch before it is written.

use std::ops::ControlFlow;
use std::sync::Arc;

use splitstore_domain::{CompactionPlan, PhaseReport};
use splitstore_ports::Maintenance;

use super::collect::{BATCHES_PER_SCAN, Counted};
use super::copier::{Batch, Copier, Threads, check_space};
use super::listing::Listing;
use super::ordered::{Counts, Fates, Ordered, Seen, Sets};
use super::transfer::Settled;
use super::{Advance, Work, count};
use crate::archive::Archive;
use crate::candidates::Fate;
use crate::error::Result;
use crate::links::PackWriter;
use crate::sets::WalkSets;
use crate::store::Inner;
use crate::tenured::Tenured;

/// Blocks between two looks at the interrupt.
const PATIENCE: usize = 4096;

/// The pass under way.
pub(super) struct Pass<'a> {
    work: Work,
    sets: WalkSets,
    moving: Option<WalkSets>,
    archive: Archive,
    /// Whether it is noted what cold lacks while blocks come to it.
    noted: bool,
    tenured: Option<Arc<Tenured>>,
    ordered: Ordered<'a>,
    seen: Seen,
    listing: Listing,
    copier: Copier,
    threads: Threads,
    /// The link index, as long as it is not written.
    pack: Option<PackWriter>,
}

/// What looks brought.
#[derive(Clone, Copy)]
struct Looked {
    seen: Seen,
    blocks: u64,
    bytes: u64,
}

impl<'a> Pass<'a> {
    pub(super) fn new(cx: &Inner, counted: Counted<'a>) -> Result<Self> {
        let Counts { all, for_cold, .. } = counted.counts();
        let Counted { work, sets, moving, archive, missing, tenured, snapshot, by, learned } = counted;
        let pack = learned.map(|learned| learned.save(cx, &work)).transpose()?.flatten();
        if for_cold > 0 {
            let hot = cx.tiers.hot.maintenance().map(Maintenance::size_on_disk).transpose()?;
            let bytes = u128::from(hot.map_or(0, |hot| hot.0)) * u128::from(for_cold);
            let expected = u64::try_from(bytes / u128::from(all)).unwrap_or(u64::MAX);
            check_space(cx, for_cold / 2, expected / 2)?;
        }
        let listing = Listing::begin(cx, &work, missing)?;
        let (ordered, seen, noted) = (Ordered::new(snapshot, by), Seen::Some, false);
        let (copier, threads) = (Copier::default(), Threads::for_blocks(for_cold));
        Ok(Self {
            work,
            sets,
            moving,
            archive,
            noted,
            tenured,
            ordered,
            seen,
            listing,
            copier,
            threads,
            pack,
        })
    }

    /// Reads a batch, beside the writing of the one before, and then writes the link index as long as that goes on. On one thread
    /// there is nothing beside which to write the index, so it comes first; so does what is left of it when all is copied.
    pub(super) fn step(
        mut self,
        cx: &Inner,
        meter: &mut PhaseReport,
    ) -> Result<Advance<Self, (Settled, CompactionPlan)>> {
        let is_copied = self.seen == Seen::All && self.copier.is_empty();
        if let Some(pack) = self.pack.take_if(|_| is_copied || self.threads == Threads::One) {
            self.pack = pack.step()?;
            return Ok(Advance::More(self));
        }
        if is_copied {
            return self.finish(cx).map(Advance::Done);
        }
        self.note(cx)?;
        let Self { sets, moving, archive, tenured, ordered, seen, listing, copier, threads, pack, .. } =
            &mut self;
        let sets = Sets { live: sets, moving: moving.as_ref(), tenured: tenured.as_deref() };
        let fates = Fates::of(sets, archive.gets).expect("a snapshot comes with the bitmap of it");
        let looked = copier.step(cx, *threads, |batch, is_writing| {
            let mut looked = Looked { seen: *seen, blocks: 0, bytes: 0 };
            while looked.seen == Seen::Some {
                looked = looked.and(look(cx, &fates, ordered, listing, batch)?);
                if batch.is_full(cx) || !is_writing() {
                    break;
                }
            }
            while let Some(writer) = pack.take_if(|_| is_writing()) {
                *pack = writer.step()?;
            }
            Ok(looked)
        })?;
        count(meter, looked.blocks, looked.bytes);
        *seen = looked.seen;
        if *seen == Seen::All {
            ordered.check(cx, &fates)?;
        }
        copier.turn(cx, *seen);
        Ok(Advance::More(self))
    }

    /// Before the first block is written to cold, it is noted what cold may lack until all are.
    fn note(&mut self, cx: &Inner) -> Result<()> {
        if !self.noted && self.copier.writes() {
            self.archive.begin(cx)?;
            self.noted = true;
        }
        Ok(())
    }

    fn finish(self, cx: &Inner) -> Result<(Settled, CompactionPlan)> {
        let Self { work, sets, mut archive, noted, listing, mut copier, .. } = self;
        if !noted {
            archive.copies_nothing();
            archive.begin(cx)?;
        }
        let (plan, chunks) = listing.finish(cx, &work.folder)?;
        copier.finish(cx)?;
        archive.end(cx)?;
        Ok((Settled { work, sets, chunks }, plan))
    }
}

impl Looked {
    fn and(self, next: Self) -> Self {
        Self { seen: next.seen, blocks: self.blocks + next.blocks, bytes: self.bytes + next.bytes }
    }
}

/// Looks at blocks until a batch is full, or for as long as a step may take.
fn look(
    cx: &Inner,
    fates: &Fates<'_>,
    ordered: &mut Ordered<'_>,
    listing: &mut Listing,
    batch: &mut Batch,
) -> Result<Looked> {
    let most = cx.options.batches.scan.get().saturating_mul(BATCHES_PER_SCAN);
    let (mut looked, mut blocks, mut bytes) = (0, 0, 0);
    let seen = ordered.go_on(fates, &mut |fate, block| {
        let size = block.data.len() as u64;
        let fate = listing.add(cx, (block.key, block.codec, size), fate)?;
        if fate.is_some_and(Fate::is_for_cold) {
            batch.add(block.key.to_cid(block.codec), block.data)?;
            blocks += 1;
            bytes += size;
        }
        looked += 1;
        if looked % PATIENCE == 0 {
            cx.interrupt.check("read what moves to cold")?;
        }
        let enough = looked == most || batch.is_full(cx);
        Ok(if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(Looked { seen, blocks, bytes })
}
