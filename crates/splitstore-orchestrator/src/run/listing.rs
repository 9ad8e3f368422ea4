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
            copy: Tally::default(),
            transfer: Tally::default(),
            drop: Tally::default(),
            missing: missing.count,
            missing_listed: missing.listed,
        };
        let candidates = CandidateWriter::create(&cx.files, &work.folder, cx.options.batches.chunk)?;
        Ok(Self { candidates, plan })
    }

    /// Takes note of what becomes of a block; live ones have no fate, unless cold lacks them. What became of it then.
    pub(super) fn add(
        &mut self,
        cx: &Inner,
        (key, codec, size): (&BlockKey, u64, u64),
        fate: Option<Fate>,
    ) -> Result<Option<Fate>> {
        let is_there = fate == Some(Fate::Copy) && cx.tiers.cold.has(&key.to_cid(codec))?;
        let fate = fate.filter(|_| !is_there);
        if fate == Some(Fate::Copy) {
            self.plan.copy.add(size);
        }
        let tally = match fate {
            None | Some(Fate::Copy) => &mut self.plan.keep,
            Some(Fate::Transfer) => &mut self.plan.transfer,
            Some(Fate::Drop) => &mut self.plan.drop,
        };
        tally.add(size);
        if let Some(fate) = fate {
            self.candidates.push(fate, key, codec)?;
        }
        Ok(fate)
    }

    /// The plan, and how many chunks of candidates there are, durably.
    pub(super) fn finish(self, cx: &Inner, folder: &Path) -> Result<(CompactionPlan, u64)> {
        let chunks = self.candidates.finish(&*cx.files, folder)?;
        Ok((self.plan, chunks))
    }
}
