//! Collect: every key that hot holds, against the marks. Only what this scan saw can be deleted.
//!
//! The scan reads a snapshot taken after protection went on, so a block written later is no candidate, and a
//! block that is here but was written again meanwhile is a reference.
//!
//! After a marking by scan it is the same snapshot once more: the n-th key is the bitmap's n-th bit, and what is
//! marked goes into the exact set, which from then on stands alone and is what the seal writes.

use std::ops::ControlFlow;

use splitstore_domain::{BlockKey, ColdPolicy, CompactionPlan, PhaseReport, Tally};
use splitstore_ports::{BlockSnapshot, ErrorKind, KeyCursor, KeyEntry, KeyRange, PortError, Visit};

use super::mark::Marked;
use super::{Advance, Work, count};
use crate::candidates::{CandidateWriter, Fate};
use crate::error::Result;
use crate::graph::Bitmap;
use crate::sets::WalkSets;
use crate::store::Inner;

/// A step that begins a scan anew is worth so many batches of a cursor that goes on.
const BATCHES_PER_SCAN: usize = 16;

/// Evidence: the candidates are written, durably.
pub(crate) struct Collected {
    pub(crate) work: Work,
    pub(crate) sets: WalkSets,
    pub(crate) plan: CompactionPlan,
    pub(crate) chunks: u64,
}

/// The phase under way.
pub(crate) struct Collecting<'a> {
    work: Work,
    sets: WalkSets,
    moving: Option<WalkSets>,
    keys: Keys<'a>,
    candidates: CandidateWriter,
    plan: CompactionPlan,
    batch: Vec<KeyEntry>,
}

/// Where the keys come from.
enum Keys<'a> {
    Cursor(Box<dyn KeyCursor + 'a>),
    Snapshot(Ordered<'a>),
}

/// A snapshot, and how far it was looked at.
struct Ordered<'a> {
    snapshot: Box<dyn BlockSnapshot + 'a>,
    from: Option<Vec<u8>>,
    ordinal: u32,
}

impl<'a> Collecting<'a> {
    pub(crate) fn new(cx: &'a Inner, marked: Marked<'a>) -> Result<Self> {
        let Marked { work, sets, moving, missing, snapshot } = marked;
        let plan = CompactionPlan {
            window: work.window,
            policy: cx.options.policy.cold(),
            keep: Tally::default(),
            transfer: Tally::default(),
            drop: Tally::default(),
            missing: missing.count,
            missing_listed: missing.listed,
        };
        let candidates = CandidateWriter::create(&cx.files, &work.folder, cx.options.batches.chunk)?;
        let keys = match snapshot {
            Some(snapshot) => Keys::Snapshot(Ordered { snapshot, from: None, ordinal: 0 }),
            None => Keys::Cursor(cx.tiers.hot.keys()?),
        };
        Ok(Self { work, sets, moving, keys, candidates, plan, batch: Vec::new() })
    }

    pub(crate) fn step(mut self, cx: &Inner, meter: &mut PhaseReport) -> Result<Advance<Self, Collected>> {
        let mut batch = std::mem::take(&mut self.batch);
        batch.clear();
        let most = cx.options.batches.scan.get();
        match &mut self.keys {
            Keys::Cursor(cursor) => cursor.next_batch(&mut batch, most)?,
            Keys::Snapshot(ordered) => {
                ordered.next_batch(&mut batch, most.saturating_mul(BATCHES_PER_SCAN))?;
            }
        }
        if batch.is_empty() {
            return self.done(cx).map(Advance::Done);
        }
        count(meter, batch.len() as u64, batch.iter().map(|entry| entry.size).sum());
        match &self.keys {
            Keys::Cursor(_) => {
                let keys: Vec<BlockKey> = batch.iter().map(|entry| entry.key.clone()).collect();
                let (live, fates) = (self.sets.marked(&keys)?, self.fates(&keys)?);
                for (entry, (live, fate)) in batch.iter().zip(live.into_iter().zip(fates)) {
                    self.decide(entry, if live { None } else { Some(fate) })?;
                }
            }
            Keys::Snapshot(ordered) => self.decide_by_ordinal(&batch, ordered.ordinal, most)?,
        }
        self.batch = batch;
        Ok(Advance::More(self))
    }

    /// Looks at a batch that ends before ordinal `end`; what is marked is visited `most` at a time.
    fn decide_by_ordinal(&mut self, batch: &[KeyEntry], end: u32, most: usize) -> Result<()> {
        let begin = end - u32::try_from(batch.len()).expect("a batch is smaller than its snapshot");
        let sets = self.sets.clone();
        let bitmap = sets.bitmap().expect("a snapshot comes with the bitmap of it");
        let moving = self.moving.clone();
        let moving = moving.as_ref().and_then(WalkSets::bitmap);
        let mut settled = Vec::new();
        for (entry, ordinal) in batch.iter().zip(begin..) {
            if !bitmap.index().is(ordinal, entry.key.as_bytes()) {
                return Err(astray(entry, ordinal));
            }
            let mut readings = bitmap.readings(ordinal).peekable();
            let live = readings.peek().is_some();
            settled.extend(readings.map(|reading| Visit { key: entry.key.clone(), reading }));
            self.decide(entry, if live { None } else { Some(self.fate(moving, ordinal)) })?;
        }
        let mut first = Vec::new();
        for visits in settled.chunks(most) {
            first.clear();
            sets.settle(visits, &mut first)?;
        }
        Ok(())
    }

    /// Takes note of what becomes of a block; live ones have no fate.
    fn decide(&mut self, entry: &KeyEntry, fate: Option<Fate>) -> Result<()> {
        let tally = match fate {
            None => &mut self.plan.keep,
            Some(Fate::Transfer) => &mut self.plan.transfer,
            Some(Fate::Drop) => &mut self.plan.drop,
        };
        tally.add(entry.size);
        fate.map_or(Ok(()), |fate| self.candidates.push(fate, entry))
    }

    /// What becomes of keys that are not live.
    fn fates(&self, keys: &[BlockKey]) -> Result<Vec<Fate>> {
        match (self.plan.policy, &self.moving) {
            (ColdPolicy::Universal, _) => Ok(vec![Fate::Transfer; keys.len()]),
            (ColdPolicy::Messages, Some(moving)) => {
                let moves = moving.marked(keys)?.into_iter();
                Ok(moves.map(|moves| if moves { Fate::Transfer } else { Fate::Drop }).collect())
            }
            (ColdPolicy::Messages | ColdPolicy::Discard, _) => Ok(vec![Fate::Drop; keys.len()]),
        }
    }

    /// The same for one, by its ordinal.
    fn fate(&self, moving: Option<&Bitmap>, ordinal: u32) -> Fate {
        match (self.plan.policy, moving) {
            (ColdPolicy::Universal, _) => Fate::Transfer,
            (ColdPolicy::Messages, Some(moving)) if moving.is_marked(ordinal) => Fate::Transfer,
            (ColdPolicy::Messages | ColdPolicy::Discard, _) => Fate::Drop,
        }
    }

    fn done(self, cx: &Inner) -> Result<Collected> {
        let Self { work, sets, plan, candidates, keys, .. } = self;
        let seen = if let Keys::Snapshot(ordered) = &keys { ordered.ordinal } else { 0 };
        let known = sets.bitmap().map_or(0, |bitmap| bitmap.index().len());
        if seen != known {
            let attempt = format!("scan hot again: its snapshot held {known} blocks, and now {seen}");
            return Err(PortError::bare(ErrorKind::Corrupt, attempt).into());
        }
        let chunks = candidates.finish(&*cx.files, &work.folder)?;
        Ok(Collected { work, sets: sets.settled(), plan, chunks })
    }
}

impl Ordered<'_> {
    /// As [`KeyCursor::next_batch`].
    fn next_batch(&mut self, batch: &mut Vec<KeyEntry>, most: usize) -> Result<()> {
        let range = KeyRange { from: self.from.take(), to: None };
        self.snapshot.scan(&range, &mut |block| {
            let size = block.data.len() as u64;
            batch.push(KeyEntry { key: block.key.clone(), codec: block.codec, size });
            if batch.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        let read = u32::try_from(batch.len()).expect("a batch is short");
        self.ordinal = self.ordinal.saturating_add(read);
        // The next one begins after the last key: at the least bytes above it.
        self.from = match batch.last() {
            Some(last) => Some([last.key.as_bytes(), &[0]].concat()),
            None => range.from,
        };
        Ok(())
    }
}

/// A snapshot that shows other keys the second time. Nothing may be deleted on the strength of such a one.
fn astray(entry: &KeyEntry, ordinal: u32) -> crate::Error {
    let attempt = format!("scan hot again: block {ordinal} of its snapshot is now {}", entry.cid());
    PortError::bare(ErrorKind::Corrupt, attempt).into()
}
