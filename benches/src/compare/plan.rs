//! Which stores there are: for the figures, and for a quick look.
//!
//! ```text
//!   main     what is marked, moved and purged       fifth    as many epochs, a fifth of the blocks
//!   short, middle, long     one small state, ever longer chains, equal windows
//! ```

use std::path::Path;

use splitstore_fixtures::ChainSpec;

use super::catalogue::Probe;
use super::stored::Stored;

/// Raised when a store must be made anew although its chain is the same: hot keeps more, or another form.
const FORM: u32 = 4;

/// How much data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// A quick look.
    Small,
    /// The figures that are kept.
    Full,
}

/// A store to be.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    pub(crate) spec: ChainSpec,
    /// Of four finalities everything stays hot.
    pub(crate) finality: u64,
    /// The height at which it is compacted once; then it goes on.
    pub(crate) compacted: u64,
    /// Bytes on disk, about.
    pub(crate) size: u64,
}

/// Those that these probes need.
pub(crate) fn plans(scale: Scale, probes: &[&'static Probe]) -> Vec<Plan> {
    let all = match scale {
        Scale::Small => small_plans(),
        Scale::Full => full_plans(),
    };
    all.into_iter().filter(|plan| probes.iter().any(|probe| probe.on == plan.name)).collect()
}

fn full_plans() -> Vec<Plan> {
    let main = State { epochs: 3_000, actors: 300_000, churn_per_mille: 1, messages_per_block: 200 };
    vec![
        chain("main", main, 3_000 << 20),
        chain("fifth", main.fifth(), 600 << 20),
        long("short", (3_000, 200), 8 << 20),
        long("middle", (30_000, 200), 40 << 20),
        long("long", (300_000, 200), 350 << 20),
    ]
}

fn small_plans() -> Vec<Plan> {
    let main = State { epochs: 300, actors: 12_000, churn_per_mille: 10, messages_per_block: 80 };
    vec![
        chain("main", main, 120 << 20),
        chain("fifth", main.fifth(), 25 << 20),
        long("short", (300, 20), 1 << 20),
        long("middle", (3_000, 20), 8 << 20),
        long("long", (30_000, 20), 40 << 20),
    ]
}

/// What a chain's blocks come from.
#[derive(Clone, Copy)]
pub(super) struct State {
    pub(super) epochs: u64,
    pub(super) actors: u64,
    pub(super) churn_per_mille: u32,
    pub(super) messages_per_block: u32,
}

impl State {
    /// As long, with a fifth of the blocks.
    const fn fifth(self) -> Self {
        Self { actors: self.actors / 5, messages_per_block: self.messages_per_block / 5, ..self }
    }
}

/// Of the epochs seven tenths stay hot. It is compacted when the head has come so far past them that the next
/// compaction finds a quarter of the blocks dead.
pub(super) fn chain(name: &'static str, state: State, size: u64) -> Plan {
    let State { epochs, actors, churn_per_mille, messages_per_block } = state;
    let spec = ChainSpec { epochs, actors, churn_per_mille, messages_per_block, ..ChainSpec::default() };
    Plan { name, finality: epochs * 7 / 40, compacted: epochs * 29 / 40, spec, size }
}

/// A chain whose cost is its length: one block an epoch, a message or two, one small state. Windows are the same, and
/// what came after the compaction is, too.
fn long(name: &'static str, (epochs, finality): (u64, u64), size: u64) -> Plan {
    let spec = ChainSpec {
        epochs,
        actors: 1_000,
        churn_per_mille: 0,
        messages_per_block: 1,
        max_blocks_per_tipset: 1,
        ..ChainSpec::default()
    };
    Plan { name, finality, compacted: epochs - 5 * finality, spec, size }
}

impl Plan {
    /// Two plans of one fingerprint make the same store.
    pub(super) fn fingerprint(&self) -> String {
        format!("form {FORM}, finality {}, compacted at {}, {:?}", self.finality, self.compacted, self.spec)
    }

    /// Whether the cache has it.
    pub(crate) fn is_made(&self, cache: &Path) -> bool {
        Stored::at(&cache.join(self.name)).is_ok_and(|stored| stored.note.plan == self.fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_of_chains_of_all_lengths_are_equal() {
        let long: Vec<Plan> =
            full_plans().into_iter().filter(|plan| plan.spec.max_blocks_per_tipset == 1).collect();
        assert_eq!(long.iter().map(|plan| plan.spec.epochs).collect::<Vec<_>>(), [3_000, 30_000, 300_000]);
        let since = |plan: &Plan| (plan.finality, plan.spec.epochs - plan.compacted);
        assert!(long.iter().all(|plan| since(plan) == since(&long[0])));
    }
}
