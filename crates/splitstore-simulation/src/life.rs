//! The life of one process: a store, perhaps a run, and the schedule that lets all actors take turns.

use std::time::Duration;

use splitstore_domain::Phase;
use splitstore_orchestrator::{Error, MissingReferences, Run, SplitStore};
use splitstore_ports::{BlockRead, ErrorKind};

use crate::broken::{Broken, Verdict};
use crate::events::{Whose, name_of};
use crate::reader::Held;
use crate::world::World;

/// A store that is open.
pub(crate) struct Life<'s, 'w> {
    pub(crate) store: &'s SplitStore,
    pub(crate) world: &'w mut World,
    pub(crate) run: Option<Run<'s>>,
    pub(crate) held: Vec<Held>,
    /// A head change asked for a run that has not begun.
    pub(crate) wanted: bool,
    /// Height of the head at which the present run was cut.
    pub(crate) head_at_begin: u64,
}

/// How a life ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The process died: whatever was not durable may be gone.
    Died,
    /// It was closed, to be opened again.
    Closed,
    /// All turns are taken.
    Over,
}

impl<'s, 'w> Life<'s, 'w> {
    pub(crate) const fn new(store: &'s SplitStore, world: &'w mut World) -> Self {
        Self { store, world, run: None, held: Vec::new(), wanted: false, head_at_begin: 0 }
    }

    /// Takes turns until something ends it.
    pub(crate) fn live(&mut self, turns: &mut usize) -> Result<End, Broken> {
        while *turns > 0 {
            *turns -= 1;
            let end = self.turn()?;
            if self.world.wire.is_dead() {
                return Ok(End::Died);
            }
            self.world.check()?;
            if let Some(end) = end {
                return Ok(end);
            }
            if self.world.dice.percent(20) {
                self.look_through_filter()?;
            }
        }
        Ok(End::Over)
    }

    fn turn(&mut self) -> Result<Option<End>, Broken> {
        let options = self.world.options;
        let chance = self.world.dice.below(100);
        // A run spends few of its steps where most can go wrong.
        let phase = self.run.as_ref().map(Run::phase);
        let is_short = matches!(phase, Some(Phase::Transfer | Phase::Seal));
        let weight = if is_short || self.is_filtering() { options.danger } else { 1 };
        let (crashes, faults) = (options.crashes * weight, options.faults * weight);
        // Commit is one step.
        let operator = options.operator * if phase == Some(Phase::Commit) { 4 } else { 1 };
        if chance < crashes {
            return Ok(self.sabotage());
        }
        if chance < crashes + faults {
            return self.order_fault().map(|()| None);
        }
        // A machine whose disk fails often stops for good soon after.
        if options.crashes > 0 && self.world.wire.is_shaken() && self.world.dice.percent(25) {
            self.world.coverage.count("crash after a sync that failed");
            return Ok(Some(self.dies()));
        }
        if self.world.wire.is_poisoned() && self.world.dice.percent(15) {
            return self.close().map(Some);
        }
        if self.world.wire.is_shaken() && self.world.dice.percent(20) {
            return self.write_again().map(|()| None);
        }
        if self.world.dice.percent(operator) {
            return self.operate();
        }
        if self.world.dice.percent(options.holds) {
            return self.hold_a_reader().map(|()| None);
        }
        if self.world.dice.percent(options.holds * self.held.len() / 3) {
            return self.let_one_go().map(|()| None);
        }
        self.act().map(|()| None)
    }

    fn act(&mut self) -> Verdict {
        let marks = self.run.as_ref().is_some_and(|run| run.phase() == Phase::Mark);
        if marks && self.world.dice.percent(self.world.options.parents_first) {
            self.write_parents_first();
            return self.node_turn();
        }
        let of_node = 20;
        match self.world.dice.below(of_node + self.world.options.run_weight) {
            8..12 => self.read_something(),
            12 if self.world.is_free() => {
                self.rely_on_an_old_subtree();
                Ok(())
            }
            13 => self.add_to_pool(),
            14 => self.flush(),
            15 if self.world.is_free() => {
                self.reorganise();
                Ok(())
            }
            0..8 | 12 | 15 => self.node_turn(),
            16 => {
                self.world.clock.advance(Duration::from_secs(20));
                Ok(())
            }
            17 if self.world.is_free() => {
                self.write_parents_first();
                Ok(())
            }
            _ => self.some_steps(),
        }
    }

    /// A run is often quicker than the node: with one step between two touches it would never come to its seal.
    fn some_steps(&mut self) -> Verdict {
        let mut left = self.world.dice.between(1, self.world.options.burst);
        if self.is_early() {
            left *= self.world.options.rush;
        }
        while left > 0 {
            left = if self.is_early() { left - 1 } else { left.min(self.world.options.burst) - 1 };
            if self.world.dice.percent(self.dwell()) {
                break;
            }
            self.may_die_in_commit();
            self.step_or_begin()?;
            if self.world.wire.is_dead() {
                break;
            }
            self.world.check()?;
        }
        Ok(())
    }

    /// Whether a run is under way, and nothing moves yet.
    fn is_early(&self) -> bool {
        let phase = self.run.as_ref().map(Run::phase);
        matches!(phase, Some(Phase::Prepare | Phase::Mark | Phase::Collect))
    }

    /// Chances in a hundred that the run waits for everybody else.
    fn dwell(&self) -> usize {
        let phase = self.run.as_ref().map(Run::phase);
        match phase {
            Some(Phase::Commit) => 60,
            Some(Phase::Seal) => 20,
            _ if self.is_filtering() => self.world.options.dwell,
            _ => 0,
        }
    }

    pub(crate) fn is_filtering(&self) -> bool {
        self.world.events.is_sealed()
    }

    pub(crate) fn compactions_grow(&mut self) -> Verdict {
        let Ok(info) = self.store.info() else { return Ok(()) };
        if info.compactions < self.world.compactions {
            let what = format!("from {} to {}", self.world.compactions, info.compactions);
            return Err(Broken::new("the number of compactions never falls", what));
        }
        self.world.compactions = info.compactions;
        Ok(())
    }

    /// While the filter is on, what must be readable must also show.
    pub(crate) fn look_through_filter(&mut self) -> Verdict {
        if !self.is_filtering() || self.world.wire.is_dead() {
            return Ok(());
        }
        self.world.absorb();
        let excuses = self.world.wire.excuses();
        let ids: Vec<_> = self.world.oracle.live.union(&self.world.oracle.owed).copied().collect();
        for id in ids {
            if !self.world.in_hot(id) {
                continue;
            }
            match self.store.has(&self.world.universe.cid(id)) {
                Ok(true) => {}
                Ok(false) => {
                    let what = format!("{} is hidden by the filter", self.world.oracle.reason(id));
                    return Err(Broken::new("law 1: what must be readable shows", what));
                }
                Err(error) => {
                    self.excused(excuses, "a look", &Error::Port(error))?;
                }
            }
        }
        Ok(())
    }

    /// An error without a fault is a finding, and some errors have no excuse at all.
    pub(crate) fn excused(&mut self, before: u64, what: &str, error: &Error) -> Verdict {
        let world = &mut *self.world;
        let excused = match error {
            Error::Port(error) => error.kind() != ErrorKind::Corrupt && world.wire.excuses() > before,
            Error::NoSpace { .. } => world.wire.excuses() > before,
            // The operator said that a run shall end then, and the block is indeed nowhere.
            // Of the chain nothing is: it was brought before the head was told.
            Error::MissingLive { cid, header, .. } => {
                let id = world.universe.of_key(&cid.into());
                let is_reference = header.is_none() && world.options.missing == MissingReferences::Fail;
                is_reference && id.is_some_and(|id| !world.there(id) && !world.oracle.live.contains(&id))
            }
            _ => false,
        };
        if !excused {
            let law = "no error without a fault, no fault takes a block";
            return Err(Broken::new(law, format!("{what}: {}", told(error))));
        }
        match error {
            Error::NoSpace { .. } => world.coverage.count("error: no space for a transfer"),
            Error::MissingLive { .. } => world.coverage.count("error: a reference is missing"),
            _ => {}
        }
        Ok(())
    }

    /// The process is about to end: nobody is left waiting.
    pub(crate) fn end(mut self) {
        for held in std::mem::take(&mut self.held) {
            held.abandon();
        }
        self.run = None;
    }

    /// Takes note of an act between two steps of the rest of an earlier run.
    pub(crate) fn beside_rest(&mut self, what: &str) {
        if self.run.as_ref().is_some_and(Run::resumes) {
            self.world.coverage.count(format!("beside a resumed purge: {what}"));
        }
    }

    /// The name of the moment between two steps.
    pub(crate) fn moment(&self) -> &'static str {
        self.run.as_ref().map_or("idle", place_of)
    }
}

/// Where the next step of a run will be.
pub(crate) fn place_of(run: &Run<'_>) -> &'static str {
    name_of(run.phase(), if run.resumes() { Whose::Earlier } else { Whose::Own })
}

/// An error with all its causes.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}
