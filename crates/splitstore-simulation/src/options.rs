//! Everything that one seed chooses, drawn first and printed with every finding.

use std::fmt;
use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use splitstore_domain::{
    ByteCount, ColdPolicy, PaceLimits, Pacing, Policy, PurgeStrategy, Settings, SyncPolicy,
};
use splitstore_orchestrator::{Batches, MarkStrategy, MissingReferences, Options, Trigger};

use crate::dice::Dice;
use crate::machine::FOLDER;
use crate::rewriting::Asks;
use crate::sets::Sets;

/// The choices of one seed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SimOptions {
    pub(crate) cold: ColdPolicy,
    pub(crate) finality: u64,
    pub(crate) boundary: u64,
    pub(crate) retention: u64,
    pub(crate) sets: Sets,
    /// Whether runs wait while the node is behind.
    pub(crate) sync: SyncPolicy,
    /// Free space below which a run does not wait.
    pub(crate) pressure: Option<ByteCount>,
    pub(crate) missing: MissingReferences,
    /// How much a run does at once.
    pub(crate) batches: Batches,
    /// Whether tipset keys are stored as objects.
    pub(crate) key_objects: bool,
    pub(crate) protectors: usize,
    /// Tipsets before the store is opened first.
    pub(crate) tipsets: usize,
    /// How many epochs a reorganisation takes back at most.
    pub(crate) reorg: u64,
    /// Blocks in one put.
    pub(crate) batch: usize,
    /// Subtrees below a state root.
    pub(crate) fan_out: usize,
    /// How long each call of cold lasts.
    pub(crate) cold_lag: Duration,
    /// Turns of actors before the quiet end.
    pub(crate) turns: usize,
    /// Chances in a hundred turns.
    pub(crate) crashes: usize,
    pub(crate) faults: usize,
    /// How many times as many of both where a run can lose something.
    pub(crate) danger: usize,
    pub(crate) holds: usize,
    pub(crate) operator: usize,
    /// How eager the run is beside the node.
    pub(crate) run_weight: usize,
    /// Chances in a hundred that an idle store compacts although no head change asked for it.
    pub(crate) by_hand: usize,
    /// Steps of a run at once, at most.
    pub(crate) burst: usize,
    /// How many times as many of them before anything moves: most runs would not live to see their purge.
    pub(crate) rush: usize,
    /// Chances in a hundred that a purge waits for the node.
    pub(crate) dwell: usize,
    /// Chances in a hundred that somebody takes a turn inside a step that rewrites hot.
    pub(crate) interludes: usize,
    /// Chances in a hundred that a node that has nothing to do leaves its fork, and does not add to it.
    pub(crate) restless: usize,
    /// Chances in a hundred that a node beside a run that marks brings a parent before what is below it.
    pub(crate) parents_first: usize,
}

impl SimOptions {
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        let cold = [ColdPolicy::Universal, ColdPolicy::Messages, ColdPolicy::Discard, ColdPolicy::Discard];
        let finality = dice.between(1, 2) as u64;
        let boundary = dice.between(1, 3) as u64;
        let retention = [0, 0, 1, 2][dice.below(4)];
        let window = usize::try_from((boundary + retention) * finality).unwrap_or(0);
        let cold = cold[dice.below(4)];
        let deepest = window as u64 + finality + 2;
        Self {
            cold,
            finality,
            boundary,
            retention,
            sets: Sets::draw(dice),
            sync: [SyncPolicy::Ignore, SyncPolicy::LOTUS][dice.below(2)],
            pressure: [None, Some(ByteCount(1000))][dice.below(2)],
            missing: missing(dice),
            batches: batches(dice),
            key_objects: dice.percent(70),
            protectors: dice.between(1, 3),
            tipsets: window + dice.between(2, 5),
            // What a transfer was for that broke off is left only by a deep one.
            reorg: [finality, if cold == ColdPolicy::Messages { deepest } else { finality }, deepest]
                [dice.below(3)],
            batch: dice.between(1, 4),
            fan_out: dice.between(2, 4),
            cold_lag: Duration::from_secs([0, 0, 9][dice.below(3)]),
            turns: dice.between(80, 240) * [1, 1, 2][dice.below(3)],
            crashes: [0, 2, 4][dice.below(3)],
            faults: [0, 3, 8][dice.below(3)],
            danger: [1, 4][dice.below(2)],
            holds: [0, 4, 10][dice.below(3)],
            operator: [0, 4, 10][dice.below(3)],
            run_weight: dice.between(4, 16),
            by_hand: [0, 20, 100, 100][dice.below(4)],
            burst: dice.between(1, 6),
            rush: [1, 4, 16, 40][dice.below(4)],
            dwell: [0, 50, 80][dice.below(3)],
            interludes: 60,
            restless: [0, 0, 15, 40][dice.below(4)],
            parents_first: [0, 0, 5, 20][dice.below(4)],
        }
    }

    /// The cold policy of the next process: in a fifth of the seeds another than this one's. Chosen without a throw of
    /// its own.
    pub(crate) fn next_policy(&self) -> ColdPolicy {
        if !self.turns.is_multiple_of(5) {
            return self.cold;
        }
        let all = [ColdPolicy::Universal, ColdPolicy::Messages, ColdPolicy::Discard];
        let at = all.iter().position(|policy| *policy == self.cold).unwrap_or(0);
        all[(at + 1 + self.turns / 5 % 2) % 3]
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

    /// How runs mark, and with ids of how many bits: the fewer, the more keys collide. Chosen without a throw of
    /// its own, so that seeds from before there was a choice still mean the same schedule.
    const fn marking(&self) -> (MarkStrategy, u32) {
        if (self.turns / 4).is_multiple_of(3) {
            return (MarkStrategy::Links, [63, 63, 8, 3][self.turns % 4]);
        }
        match self.turns % 4 {
            0 => (MarkStrategy::Walk, 63),
            1 => (MarkStrategy::Scan, 63),
            2 => (MarkStrategy::Scan, 8),
            _ => (MarkStrategy::Scan, 3),
        }
    }

    /// How runs are paced. Without a throw of its own, too.
    pub(crate) fn pacing(&self) -> Pacing {
        match self.turns % 3 {
            0 => Pacing::Fast,
            1 => Pacing::default(),
            _ => Pacing::Paced(PaceLimits::default().bytes_per_second(NonZeroU64::new(1_000))),
        }
    }

    /// How purges take blocks out. Without a throw of its own, too.
    pub(crate) const fn purge(&self) -> PurgeStrategy {
        match self.turns / 12 % 3 {
            0 => PurgeStrategy::Delete,
            1 => PurgeStrategy::Rewrite,
            _ => PurgeStrategy::Auto,
        }
    }

    /// About which blocks hot asks when it rewrites. Without a throw of its own, too.
    pub(crate) const fn asks(&self) -> Asks {
        match self.turns / 36 % 4 {
            0 | 2 => Asks::AboutMost,
            1 => Asks::AboutAll,
            _ => Asks::InVain,
        }
    }

    /// How the store is told to behave. Runs are stepped by the schedule, also those that a head change asks for.
    pub(crate) fn of_store(&self) -> Options {
        let (strategy, scan_id_bits) = self.marking();
        Options {
            strategy,
            pacing: self.pacing(),
            purge: self.purge(),
            scan_id_bits,
            trigger: Trigger::Stepped,
            sync: self.sync,
            pressure: self.pressure,
            missing: self.missing,
            batches: self.batches,
            ..Options::new(self.policy(), FOLDER)
        }
    }
}

fn missing(dice: &mut Dice) -> MissingReferences {
    let delay = Duration::from_secs(20);
    match dice.below(6) {
        0 | 1 => MissingReferences::Skip,
        2 => MissingReferences::Wait { tries: 1, delay },
        3 => MissingReferences::Wait { tries: 2, delay },
        _ => MissingReferences::Fail,
    }
}

/// Sizes at which a few dozen blocks make many chunks, or the defaults.
fn batches(dice: &mut Dice) -> Batches {
    // Few enough that a chain is walked in several goes.
    let roots = NonZeroUsize::new(512).unwrap_or(NonZeroUsize::MIN);
    if dice.percent(25) {
        return Batches { roots, ..Batches::default() };
    }
    let mut size = |most| NonZeroUsize::new(dice.between(1, most)).unwrap_or(NonZeroUsize::MIN);
    Batches {
        roots,
        scan: size(40),
        chunk: size(12),
        transfer_blocks: size(20),
        transfer_bytes: size(2000),
        exclusive: size(6),
        cursor: size(4),
    }
}

impl fmt::Display for SimOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{self:?}");
        let inner = text.trim_start_matches("SimOptions { ").trim_end_matches(" }");
        f.write_str(inner)
    }
}
