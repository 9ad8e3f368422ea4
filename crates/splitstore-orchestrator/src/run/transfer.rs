//! Transfer: what moves is copied to cold, checked against its hash on the way, and synced before anything
//! is deleted.

use cid::Cid;
use splitstore_domain::{CompactionPlan, PhaseReport, digest};
use splitstore_ports::Block;

use super::collect::Collected;
use super::{Advance, Work, count};
use crate::candidates::{CandidateReader, Fate};
use crate::error::{Error, Result};
use crate::sets::WalkSets;
use crate::store::Inner;

/// What an engine writes besides the data: asked of the disk before the copy starts.
const OVERHEAD_PER_BLOCK: u64 = 300;

/// Evidence: everything that must not be lost is durably in cold, or the policy keeps nothing of it.
pub(crate) struct Settled {
    pub(crate) work: Work,
    pub(crate) sets: WalkSets,
    pub(crate) chunks: u64,
}

/// The phase under way.
pub(crate) struct Transferring {
    collected: Collected,
    candidates: CandidateReader,
    pending: Vec<(Cid, Vec<u8>)>,
    pending_bytes: usize,
}

impl Transferring {
    pub(crate) fn new(cx: &Inner, collected: Collected) -> Result<Self> {
        check_space(cx, &collected.plan)?;
        let candidates = CandidateReader::open(&*cx.files, &collected.work.folder)?;
        Ok(Self { collected, candidates, pending: Vec::new(), pending_bytes: 0 })
    }

    pub(crate) fn step(mut self, cx: &Inner, meter: &mut PhaseReport) -> Result<Advance<Self, Settled>> {
        if self.collected.plan.transfer.blocks == 0 {
            return Ok(Advance::Done(self.settled()));
        }
        let Some(chunk) = self.candidates.next_chunk()? else {
            self.write(cx)?;
            cx.tiers.cold.sync()?;
            return Ok(Advance::Done(self.settled()));
        };
        let moving = chunk.iter().filter(|candidate| candidate.fate == Fate::Transfer);
        let cids: Vec<Cid> = moving.map(|candidate| candidate.key.to_cid(candidate.codec)).collect();
        self.read(cx, &cids, meter)?;
        let most = &cx.options.batches;
        if self.pending.len() >= most.transfer_blocks.get() || self.pending_bytes >= most.transfer_bytes.get()
        {
            self.write(cx)?;
        }
        Ok(Advance::More(self))
    }

    fn read(&mut self, cx: &Inner, cids: &[Cid], meter: &mut PhaseReport) -> Result<()> {
        let mut blocks = vec![None; cids.len()];
        cx.tiers.hot.view_many(cids, &mut |index, data| blocks[index] = Some(data.to_vec()))?;
        for (cid, data) in cids.iter().zip(blocks) {
            let data = data.ok_or(Error::MissingLive { cid: *cid, root: *cid, header: None })?;
            digest::verify(cid, &data).map_err(|source| Error::Damaged { cid: *cid, source })?;
            count(meter, 1, data.len() as u64);
            self.pending_bytes += data.len();
            self.pending.push((*cid, data));
        }
        Ok(())
    }

    fn write(&mut self, cx: &Inner) -> Result<()> {
        let blocks: Vec<Block<'_>> =
            self.pending.iter().map(|(cid, data)| Block { cid: *cid, data }).collect();
        cx.tiers.cold.put_many(&blocks)?;
        self.pending.clear();
        self.pending_bytes = 0;
        Ok(())
    }

    fn settled(self) -> Settled {
        let Collected { work, sets, chunks, .. } = self.collected;
        Settled { work, sets, chunks }
    }
}

fn check_space(cx: &Inner, plan: &CompactionPlan) -> Result<()> {
    let need = plan.transfer.bytes.0 + plan.transfer.blocks * OVERHEAD_PER_BLOCK;
    match cx.files.free_space(&cx.options.folder)? {
        Some(free) if free.0 < need => Err(Error::NoSpace { need, have: free.0 }),
        _ => Ok(()),
    }
}
