//! References that came in while a run was marking, and after: walked a piece at a time while more may come.

use cid::Cid;
use splitstore_domain::PhaseReport;
use splitstore_domain::links::LinkError;

use super::count;
use crate::error::Result;
use crate::protection::Taken;
use crate::sets::WalkSets;
use crate::store::Inner;
use crate::walk::{Leaves, Missing, Sink, Walker};

/// Rounds in which references are walked while more come in. A busy store never has none: a few rounds leave only
/// what came in during the last one.
const ROUNDS: usize = 8;

/// References pushed in one step, of each kind.
const STEP: usize = 32 * 1024;

/// Walks references into sets that nobody relies on yet.
pub(super) struct Late {
    walker: Walker<'static>,
    left: Taken,
    rounds: usize,
}

impl Late {
    pub(super) fn new(cx: &Inner, sets: &WalkSets) -> Self {
        let walker = Walker::new(cx.tiers.clone(), sets.clone(), Leaves::Mark);
        Self { walker, left: Taken::default(), rounds: 0 }
    }

    /// One piece; itself if there may be more.
    pub(super) fn step(mut self, cx: &Inner, meter: &mut PhaseReport) -> Result<Option<Self>> {
        if !self.walker.is_idle() {
            self.walker.step(&mut Tolerant)?;
            return Ok(Some(self));
        }
        if self.left.is_empty() {
            if self.rounds == ROUNDS {
                return Ok(None);
            }
            self.rounds += 1;
            self.left = cx.protection.take_references();
        }
        let now = self.left.take(STEP);
        count(meter, now.len(), 0);
        self.walker.push_taken(&now, &mut Tolerant)?;
        Ok((!now.is_empty()).then_some(self))
    }
}

/// What is missing below a reference was awaited while the run was marking.
struct Tolerant;

impl Sink for Tolerant {
    fn missing(&mut self, _missing: &Missing) -> Result<()> {
        Ok(())
    }

    fn malformed(&mut self, _cid: Cid, _source: LinkError) -> Result<()> {
        // Anybody can put such a block. Nobody can follow links in it, so it is kept as a leaf.
        Ok(())
    }
}
