//! The real orchestrator under a seeded schedule, judged after every step.
//!
//! ```text
//!   seed -> options      cold policy, windows, mark sets, sizes of batches, gates, fault rates ...
//!        -> schedule     run step | sync | reorg | has-and-trust | read | view | flush | pause | hold | crash | fault ...
//!                          after each: oracle (maps only) against the adapters' raw content
//! ```
//! *State*: a life is one process, from open to crash or close; [`simulate`] lives several over one disk.
//! *Time*: one thread runs at any moment; held readers have threads of their own but never run beside others.
//! Start at [`simulate`]; what must hold is in `oracle.rs`, `gates.rs`, `wire.rs` and `recovery.rs`, what happens in
//! `life.rs`, what must have happened in `coverage.rs`.

mod actions;
mod adapters;
mod broken;
mod chain;
mod coverage;
mod dice;
mod events;
mod gates;
mod lie;
mod life;
mod machine;
mod node;
mod operator;
mod options;
mod oracle;
mod policies;
mod probes;
mod reader;
mod recovery;
mod rewriting;
mod runs;
mod saboteur;
mod sets;
mod trace;
mod universe;
mod wire;
mod world;

use std::fmt;

pub use broken::Broken;
pub use coverage::Coverage;
pub use lie::Lie;
pub use trace::Telling;

use crate::life::{End, Life};
use crate::world::World;

/// What came of one seed.
#[derive(Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// The same for every run of the seed.
    pub trace_hash: u64,
    /// What was reached.
    pub coverage: Coverage,
    /// The finding, if there is one.
    pub finding: Option<Finding>,
}

/// A law that was broken, and how it came to that.
#[derive(Debug)]
pub struct Finding {
    /// The law.
    pub broken: Broken,
    /// The options of the seed.
    pub options: String,
    /// The last actions.
    pub last: Vec<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.options)?;
        for line in &self.last {
            writeln!(f, "{line}")?;
        }
        write!(f, "{}", self.broken)
    }
}

/// How a seed is lived.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    /// Whether it is told.
    pub telling: Telling,
    /// What the adapters do wrong, to test the oracle.
    pub lie: Option<Lie>,
}

/// Lives through one seed.
pub fn simulate(seed: u64, manner: &Manner) -> Outcome {
    let mut world = World::new(seed, manner);
    world.trace.line(format!("seed {seed}"));
    let options = world.options.to_string();
    world.trace.line(options.clone());
    world.tell_blocks(0);
    let lived = live(&mut world);
    world.absorb();
    world.coverage.count_many(world.events.counts());
    let last = world.trace.last();
    let finding = lived.err().map(|broken| Finding { broken, options, last });
    Outcome { seed, trace_hash: world.trace.hash(), coverage: world.coverage, finding }
}

fn live(world: &mut World) -> Result<(), Broken> {
    let mut turns = world.options.turns;
    loop {
        let store = open(world)?;
        let mut life = Life::new(&store, world);
        life.compactions_grow()?;
        let lived = life.live(&mut turns);
        let ended = match lived {
            Ok(End::Over) => {
                let quiet = quietly(&mut life);
                life.end();
                return quiet;
            }
            ended => ended,
        };
        life.end();
        drop(store);
        match ended? {
            End::Died => die(world)?,
            End::Closed | End::Over => {
                world.wire.renew();
                world.change_policy();
                world.head_moved();
            }
        }
    }
}

/// Everybody lets go; a tier that refuses everything after a failed sync is opened again first.
fn quietly(life: &mut Life<'_, '_>) -> Result<(), Broken> {
    while !life.held.is_empty() {
        life.let_one_go()?;
    }
    life.world.wire.renew();
    life.world.wire.set_place(wire::NODE);
    life.world.node.task = None;
    life.quiet_end()?;
    if let Some(reason) = life.world.events.distrusted() {
        return Err(Broken::new("a link index is what it should be unless somebody damages it", reason));
    }
    life.probe()
}

/// Opens the store; a second crash may come while it recovers.
fn open(world: &mut World) -> Result<splitstore_orchestrator::SplitStore, Broken> {
    loop {
        if world.options.crashes > 0 && world.dice.percent(25) {
            let effects = world.dice.below(12) as u64;
            world.trace.line(format!("the fuse burns after {effects} effects of open"));
            world.wire.burn_after(effects);
        }
        let excuses = world.wire.excuses();
        let resumed = world.events.resumed();
        let opened = world.open();
        if world.events.resumed() > resumed {
            world.coverage.count("open: resumed a sealed run");
        }
        match opened {
            Ok(store) => {
                world.trace.line("open");
                world.check()?;
                if !world.events.is_sealed() {
                    world.census("after open")?;
                }
                return Ok(store);
            }
            Err(error) => {
                let what = life::told(&error);
                world.trace.line(format!("open failed: {what}"));
                if world.wire.excuses() == excuses || !world.wire.is_dead() {
                    return Err(Broken::new("the store always opens", what));
                }
                die(world)?;
            }
        }
    }
}

fn die(world: &mut World) -> Result<(), Broken> {
    if let Some((place, what)) = world.wire.died_at() {
        world.broke_off_in(place);
        world.coverage.count(format!("crash inside: {place}, {what}"));
    }
    world.crash();
    world.recovers_the_same()
}
