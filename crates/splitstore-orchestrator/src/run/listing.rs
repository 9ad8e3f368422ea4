//! What becomes of every block of hot: counted, and listed if it may leave.

use std::path::Path;

use splitstore_domain::{BlockKey, CompactionPlan, Tally};

use super::Work;
use super::absent::Absent;
use crate::candidates::{CandidateWriter, Fate};
use crate::error::Result;
use crate::store::Inner;

/// A plan and a list of candidates in the making.
pub(super) struct Listing {
    candidates: CandidateWriter,
    plan: CompactionPlan,
}

impl Listing {
    pub(super) fn begin(cx: &Inner, work: &Work, missing: Absent) -> Result<Self> {
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
        Ok(Self { candidates, plan })
    }

    /// Takes note of what becomes of a block; live ones have no fate.
    pub(super) fn add(&mut self, key: &BlockKey, codec: u64, size: u64, fate: Option<Fate>) -> Result<()> {
        let tally = match fate {
            None => &mut self.plan.keep,
            Some(Fate::Transfer) => &mut self.plan.transfer,
            Some(Fate::Drop) => &mut self.plan.drop,
        };
        tally.add(size);
        fate.map_or(Ok(()), |fate| self.candidates.push(fate, key, codec))
    }

    /// The plan, and how many chunks of candidates there are, durably.
    pub(super) fn finish(self, cx: &Inner, folder: &Path) -> Result<(CompactionPlan, u64)> {
        let chunks = self.candidates.finish(&*cx.files, folder)?;
        Ok((self.plan, chunks))
    }
}
