//! One store from its making to its end: all that is chosen for it follows from the seed and its number.
//!
//! | chosen | by number | by seed |
//! |---|---|---|
//! | cold policy | in turn: universal, messages, discard | which is first |
//! | way of purging, size of a run's steps | in turn | - |
//! | marks, finality, retention of messages, chain | - | all |

use std::num::NonZeroUsize;

use splitstore::Batches;
use splitstore::domain::{ColdPolicy, Settings};
use splitstore::folder::{FolderSettings, MarksKind, Purging};
use splitstore_fixtures::ChainSpec;

use crate::Dice;

const COLD: [ColdPolicy; 3] = [ColdPolicy::Universal, ColdPolicy::Messages, ColdPolicy::Discard];

/// How much a store is given to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// A small state and short windows, so that one compaction follows the other.
    Crash,
    /// A larger state and longer windows: there is time without a compaction to compare with.
    Soak,
}

/// A store and its chain, before either is made.
#[derive(Debug, Clone, Copy)]
pub struct Life {
    /// Which of the seed's stores it is.
    pub number: u64,
    /// Seed of its chain.
    pub seed: u64,
    load: Load,
    settings: FolderSettings,
}

impl Life {
    /// The store `number` of `seed`.
    pub fn new(seed: u64, number: u64, load: Load) -> Self {
        let mut dice = Dice::new(seed, number);
        let turn = Dice::new(seed, u64::MAX).below(3).wrapping_add(number) % 3;
        let cold_policy = usize::try_from(turn).ok().and_then(|turn| COLD.get(turn)).copied();
        let marks = dice.pick(MarksKind::ALL).copied();
        let windows = Settings {
            cold_policy: cold_policy.unwrap_or_default(),
            message_retention_finalities: dice.below(2),
            ..match load {
                Load::Crash => windows(2 + dice.below(6), 2, 1),
                Load::Soak => windows(10, 5, 2),
            }
        };
        // By turns, so that three stores see both ways, and six both under each policy.
        let purge = if number.is_multiple_of(2) { Purging::Rewrite } else { Purging::Delete };
        let marks = marks.unwrap_or(MarksKind::Exact);
        let settings = FolderSettings { marks, windows, purge, ..FolderSettings::default() };
        Self { number, seed: dice.word(), load, settings }
    }

    /// How the store is made.
    pub const fn settings(&self) -> &FolderSettings {
        &self.settings
    }

    /// How much a run does at once: in three of four small stores so little that a purge moves its cursor many times.
    pub fn batches(&self) -> Batches {
        let size = |size| NonZeroUsize::new(size).unwrap_or(NonZeroUsize::MIN);
        match (self.load, self.number % 4) {
            (Load::Crash, 0..3) => {
                Batches { chunk: size(32), exclusive: size(16), cursor: size(1), ..Batches::default() }
            }
            _ => Batches::default(),
        }
    }

    /// What becomes of old blocks.
    pub const fn cold(&self) -> ColdPolicy {
        self.settings.windows.cold_policy
    }

    /// Epochs behind the head in which everything is live.
    pub const fn boundary(&self) -> u64 {
        self.settings.windows.finality_epochs * self.settings.windows.boundary_finalities
    }

    /// The chain; it is as good as endless.
    pub fn spec(&self) -> ChainSpec {
        let (actors, churn_per_mille) = match self.load {
            Load::Crash => (60, 50),
            Load::Soak => (2000, 10),
        };
        ChainSpec {
            epochs: 1 << 30,
            actors,
            churn_per_mille,
            messages_per_block: 2,
            max_blocks_per_tipset: 3,
            forks_per_mille: 100,
            seed: self.seed,
            ..ChainSpec::default()
        }
    }
}

fn windows(finality_epochs: u64, threshold_finalities: u64, boundary_finalities: u64) -> Settings {
    Settings { finality_epochs, threshold_finalities, boundary_finalities, ..Settings::default() }
}

impl std::fmt::Display for Life {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let FolderSettings { marks, windows, purge, .. } = &self.settings;
        write!(
            f,
            "store {}: cold policy {}, marks {marks}, purge {purge}, finality {}, retention {}",
            self.number, windows.cold_policy, windows.finality_epochs, windows.message_retention_finalities
        )
    }
}
