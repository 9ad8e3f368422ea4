//! The chain that the demo plays, tipset by tipset.

use anyhow::Result;
use splitstore::domain::{Epoch, TipsetKey};
use splitstore::ports::Result as PortResult;
use splitstore::ports::cid::Cid;
use splitstore_fixtures::{Branch, ChainGenerator, ChainSpec, TipsetOut};

use crate::args::ChainArgs;

/// Takes blocks.
pub(super) type Put<'a> = dyn FnMut(&Cid, &[u8]) -> PortResult<()> + 'a;

/// What was handed out.
pub(super) enum Fed {
    /// A tipset on the chain: the new head.
    Head(TipsetKey),
    /// A tipset beside it.
    Aside,
}

/// A chain, from its lowest tipset to its head.
pub(super) trait Feed {
    /// What it is, for people.
    fn title(&self) -> String;

    /// Epochs from the first head it hands out to the last.
    fn span_epochs(&self) -> u64;

    /// The height up to which it may lack old states and messages, where it comes from an archive.
    fn snapshot(&self) -> Option<Epoch>;

    /// Hands out the blocks of the next tipset; `None` past the head.
    fn next(&mut self, put: &mut Put<'_>) -> Result<Option<Fed>>;
}

/// A generated chain.
pub(super) struct GeneratedFeed {
    spec: ChainSpec,
    generator: ChainGenerator,
}

impl GeneratedFeed {
    pub(super) fn new(args: &ChainArgs) -> Result<Self> {
        let spec = args.spec();
        Ok(Self { generator: ChainGenerator::new(&spec)?, spec })
    }
}

impl Feed for GeneratedFeed {
    fn title(&self) -> String {
        let ChainSpec { epochs, actors, churn_per_mille, seed, .. } = &self.spec;
        format!(
            "a generated chain of {epochs} epochs, {actors} actors of which {churn_per_mille} in 1000 change \
             per epoch, seed {seed}"
        )
    }

    fn span_epochs(&self) -> u64 {
        self.spec.epochs
    }

    fn snapshot(&self) -> Option<Epoch> {
        None
    }

    fn next(&mut self, put: &mut Put<'_>) -> Result<Option<Fed>> {
        let made = self.generator.next_tipset(put)?;
        Ok(made.map(|TipsetOut { key, branch, .. }| match branch {
            Branch::Canonical => Fed::Head(TipsetKey::new(key)),
            Branch::Fork => Fed::Aside,
        }))
    }
}
