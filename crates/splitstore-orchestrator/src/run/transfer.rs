//! Transfer: what moves is copied to cold, checked against its hash on the way, and synced before anything
//! is deleted.
//!
//! Marked by scan, it is one pass with collection (`pass.rs`). Else the list of candidates says what to read.

use cid::Cid;
use splitstore_domain::{CompactionPlan, PhaseReport};

use super::collect::{Collected, Listed};
use super::copier::{Batch, Copier, Threads, check_space};
use super::ordered::Seen;
use super::pass::Pass;
use super::{Advance, Work, count};
use crate::candidates::CandidateReader;
use crate::error::{Error, Result};
use crate::sets::WalkSets;
use crate::store::Inner;

/// Evidence: everything that must not be lost is durably in cold, or the policy keeps nothing of it.
pub(crate) struct Settled {
    pub(crate) work: Work,
    pub(crate) sets: WalkSets,
    pub(crate) chunks: u64,
}

/// The phase under way.
pub(crate) enum Transferring<'a> {
    Pass(Box<Pass<'a>>),
    List(Box<ByList>),
}

/// Copying what a list says.
pub(crate) struct ByList {
    listed: Listed,
    candidates: CandidateReader,
    seen: Seen,
    copier: Copier,
    threads: Threads,
}

impl<'a> Transferring<'a> {
    pub(crate) fn new(cx: &Inner, collected: Collected<'a>) -> Result<Self> {
        match collected {
            Collected::Counted(counted) => Ok(Self::Pass(Box::new(Pass::new(cx, *counted)?))),
            Collected::Listed(listed) => Ok(Self::List(Box::new(ByList::new(cx, *listed)?))),
        }
    }

    /// At the end a plan comes with it, if it was not known before.
    pub(crate) fn step(
        self,
        cx: &Inner,
        meter: &mut PhaseReport,
    ) -> Result<Advance<Self, (Settled, Option<CompactionPlan>)>> {
        match self {
            Self::Pass(pass) => Ok(match pass.step(cx, meter)? {
                Advance::More(pass) | Advance::Wait(pass, _) => Advance::More(Self::Pass(Box::new(pass))),
                Advance::Done((settled, plan)) => Advance::Done((settled, Some(plan))),
            }),
            Self::List(mut list) => {
                if list.step(cx, meter)? {
                    return Ok(Advance::More(Self::List(list)));
                }
                let ByList { listed: Listed { work, sets, chunks, .. }, .. } = *list;
                Ok(Advance::Done((Settled { work, sets, chunks }, None)))
            }
        }
    }
}

impl ByList {
    fn new(cx: &Inner, mut listed: Listed) -> Result<Self> {
        let for_cold = listed.for_cold();
        check_space(cx, for_cold.blocks, for_cold.bytes.0)?;
        if for_cold.blocks == 0 {
            listed.archive.copies_nothing();
        }
        listed.archive.begin(cx)?;
        let candidates = CandidateReader::open(&*cx.files, &listed.work.folder)?;
        let (copier, threads) = (Copier::default(), Threads::for_blocks(for_cold.blocks));
        let seen = if for_cold.blocks == 0 { Seen::All } else { Seen::Some };
        Ok(Self { listed, candidates, seen, copier, threads })
    }

    /// Whether there is more to do.
    fn step(&mut self, cx: &Inner, meter: &mut PhaseReport) -> Result<bool> {
        let Self { candidates, seen, copier, threads, listed } = self;
        if *seen == Seen::All && copier.is_empty() {
            if listed.for_cold().blocks > 0 {
                copier.finish(cx)?;
            }
            listed.archive.end(cx)?;
            return Ok(false);
        }
        *seen = copier.step(cx, *threads, |batch, _| match *seen {
            Seen::All => Ok(Seen::All),
            Seen::Some => gather(cx, candidates, *threads, batch, meter),
        })?;
        copier.turn(cx, *seen);
        Ok(true)
    }
}

/// Reads a chunk, or as many as make a batch.
fn gather(
    cx: &Inner,
    candidates: &mut CandidateReader,
    threads: Threads,
    batch: &mut Batch,
    meter: &mut PhaseReport,
) -> Result<Seen> {
    loop {
        let Some(chunk) = candidates.next_chunk()? else { return Ok(Seen::All) };
        let moving = chunk.iter().filter(|candidate| candidate.fate.is_for_cold());
        let cids: Vec<Cid> = moving.map(|candidate| candidate.key.to_cid(candidate.codec)).collect();
        read(cx, &cids, batch, meter)?;
        if threads == Threads::One || batch.is_full(cx) {
            return Ok(Seen::Some);
        }
    }
}

fn read(cx: &Inner, cids: &[Cid], batch: &mut Batch, meter: &mut PhaseReport) -> Result<()> {
    let mut blocks = vec![None; cids.len()];
    cx.tiers.hot.view_many(cids, &mut |index, data| blocks[index] = Some(data.to_vec()))?;
    for (cid, data) in cids.iter().zip(blocks) {
        let data = data.ok_or(Error::MissingLive { cid: *cid, root: *cid, header: None })?;
        count(meter, 1, data.len() as u64);
        batch.add(*cid, &data)?;
    }
    Ok(())
}
