//! Everything that one seed chooses, drawn first and printed with every finding.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use splitstore_domain::{ColdPolicy, Policy, Settings};
use splitstore_marksets::{BloomSets, ExactSets, RoaringSets};
use splitstore_orchestrator::{MarkSets, MissingReferences};

use crate::dice::Dice;

/// Which mark sets a seed uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sets {
    Exact,
    ExactBehindBloom,
    ExactBehindRoaring,
}

/// The choices of one seed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SimOptions {
    pub(crate) cold: ColdPolicy,
    pub(crate) finality: u64,
    pub(crate) boundary: u64,
    pub(crate) retention: u64,
    pub(crate) sets: Sets,
    /// Whether tipset keys are stored as objects.
    pub(crate) key_objects: bool,
    /// Tipsets before the store is opened first.
    pub(crate) tipsets: usize,
    /// Blocks in one put.
    pub(crate) batch: usize,
    /// Subtrees below a state root.
    pub(crate) fan_out: usize,
    /// Turns of actors before the quiet end.
    pub(crate) turns: usize,
    /// Chances in a hundred turns.
    pub(crate) crashes: usize,
    pub(crate) faults: usize,
    /// How eager the run is beside the node.
    pub(crate) run_weight: usize,
    pub(crate) holds: usize,
    /// Steps of a run at once, at most.
    pub(crate) burst: usize,
    /// Chances in a hundred that a purge waits for the node.
    pub(crate) dwell: usize,
    /// How often a run looks again for what is missing below a reference.
    pub(crate) tries: u32,
}

impl SimOptions {
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        let cold = [ColdPolicy::Universal, ColdPolicy::Messages, ColdPolicy::Discard, ColdPolicy::Discard];
        let sets = [Sets::Exact, Sets::Exact, Sets::ExactBehindBloom, Sets::ExactBehindRoaring];
        let finality = dice.between(1, 2) as u64;
        let boundary = dice.between(1, 3) as u64;
        let retention = [0, 0, 1, 2][dice.below(4)];
        let window = usize::try_from((boundary + retention) * finality).unwrap_or(0);
        Self {
            cold: cold[dice.below(4)],
            finality,
            boundary,
            retention,
            sets: sets[dice.below(4)],
            key_objects: dice.percent(70),
            tipsets: window + dice.between(2, 5),
            batch: dice.between(1, 4),
            fan_out: dice.between(2, 4),
            turns: dice.between(80, 240),
            crashes: [0, 2, 4][dice.below(3)],
            faults: [0, 3, 8][dice.below(3)],
            run_weight: dice.between(4, 16),
            holds: [0, 4, 10][dice.below(3)],
            burst: dice.between(1, 6),
            dwell: [0, 50, 80][dice.below(3)],
            tries: [0, 1, 2][dice.below(3)],
        }
    }

    pub(crate) fn policy(&self) -> Policy {
        let settings = Settings {
            finality_epochs: self.finality,
            threshold_finalities: self.boundary + 1,
            boundary_finalities: self.boundary,
            message_retention_finalities: self.retention,
            cold_policy: self.cold,
        };
        Policy::new(settings).expect("the threshold is drawn beyond the boundary")
    }

    pub(crate) fn missing(&self) -> MissingReferences {
        match self.tries {
            0 => MissingReferences::Skip,
            tries => MissingReferences::Wait { tries, delay: Duration::from_secs(20) },
        }
    }

    pub(crate) fn mark_sets(&self) -> MarkSets {
        let visits = Arc::new(ExactSets);
        match self.sets {
            Sets::Exact => MarkSets::Exact(visits),
            Sets::ExactBehindBloom => MarkSets::Split { visits, marks: Arc::new(BloomSets) },
            Sets::ExactBehindRoaring => MarkSets::Split { visits, marks: Arc::new(RoaringSets) },
        }
    }
}

impl fmt::Display for SimOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cold, finality, boundary, retention, sets, key_objects, tipsets, batch, fan_out, .. } =
            self;
        writeln!(f, "cold {cold}, finality {finality}, boundary {boundary}, retention {retention}")?;
        writeln!(f, "sets {sets:?}, key objects {key_objects}, batch {batch}, fan-out {fan_out}")?;
        let Self { turns, crashes, faults, run_weight, holds, .. } = self;
        write!(
            f,
            "tipsets {tipsets}, turns {turns}, in 100: {crashes} crashes, {faults} faults, {holds} holds, "
        )?;
        write!(f, "run weight {run_weight}, burst {}, ", self.burst)?;
        write!(f, "dwell {}, {} tries for what is missing", self.dwell, self.tries)
    }
}
