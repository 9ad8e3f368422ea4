//! The life of one process: a store, perhaps a run, and the schedule that lets all actors take turns.

use splitstore_orchestrator::{Error, Run, SplitStore, Step};
use splitstore_ports::{BlockRead, ErrorKind};

use crate::Known;
use crate::broken::{Broken, Verdict};
use crate::reader::Held;
use crate::world::World;

/// A store that is open.
pub(crate) struct Life<'s, 'w> {
    pub(crate) store: &'s SplitStore,
    pub(crate) world: &'w mut World,
    pub(crate) run: Option<Run<'s>>,
    pub(crate) held: Vec<Held>,
    /// Whether the process should end soon.
    reopen: bool,
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
        Self { store, world, run: None, held: Vec::new(), reopen: false }
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
            if self.reopen {
                return Ok(self.close());
            }
            if self.world.dice.percent(20) {
                self.look_through_filter()?;
            }
            if let Some(end) = end {
                return Ok(end);
            }
        }
        Ok(End::Over)
    }

    fn turn(&mut self) -> Result<Option<End>, Broken> {
        let options = self.world.options;
        let chance = self.world.dice.below(100);
        // A run spends few of its steps where most can go wrong.
        let weight = if self.is_filtering() { 4 } else { 1 };
        let (crashes, faults) = (options.crashes * weight, options.faults * weight);
        if chance < crashes {
            return Ok(self.sabotage());
        }
        if chance < crashes + faults {
            self.order_fault();
            return Ok(None);
        }
        if self.world.wire.is_poisoned() && self.world.dice.percent(25) {
            return Ok(Some(self.close()));
        }
        if self.world.dice.percent(options.holds) {
            return self.hold_a_reader().map(|()| None);
        }
        if self.world.dice.percent(options.holds * self.held.len()) {
            return self.let_one_go().map(|()| None);
        }
        let weights = 20;
        match self.world.dice.below(weights + options.run_weight) {
            8..12 => self.read_something()?,
            12 if self.world.is_free() => self.rely_on_an_old_subtree(),
            13 => self.add_to_pool()?,
            14 => self.flush()?,
            15 if self.world.is_free() => self.reorganise(),
            0..8 | 12 | 15 => self.node_turn()?,
            16 => self.world.clock.advance(std::time::Duration::from_secs(20)),
            17 => self.cancel(),
            _ => self.some_steps()?,
        }
        Ok(None)
    }

    /// A run is often quicker than the node: with one step between two touches it would never come to its seal.
    fn some_steps(&mut self) -> Verdict {
        for _ in 0..self.world.dice.between(1, self.world.options.burst) {
            let dwell = if self.is_filtering() { self.world.options.dwell } else { 0 };
            if self.world.dice.percent(dwell) {
                break;
            }
            self.step()?;
            if self.world.wire.is_dead() {
                break;
            }
            self.world.check()?;
            if self.reopen {
                break;
            }
        }
        Ok(())
    }

    fn is_filtering(&self) -> bool {
        *self.world.events.sealed.lock()
    }

    /// Lets the run do one step, or begins one.
    pub(crate) fn step(&mut self) -> Verdict {
        let Some(run) = &mut self.run else { return self.begin() };
        let place =
            if run.phase() == splitstore_domain::Phase::Idle { "prepare" } else { run.phase().name() };
        if place == "prepare" {
            self.protection_begins();
        }
        self.world.wire.set_place(place);
        let excuses = self.world.wire.excuses();
        let run = self.run.as_mut().expect("it was there above");
        let stepped = run.step();
        let place = self.world.wire.place();
        self.world.wire.set_place("node");
        self.world.trace.line(match &stepped {
            Ok(Step::Working(phase)) => format!("step of {place}, now {phase}"),
            Ok(Step::Waiting(phase, until)) => format!("{phase} waits until {until:?}"),
            Ok(_) => "the run is finished".into(),
            Err(error) => format!("the run failed in {place}: {}", told(error)),
        });
        self.world.coverage.count(format!("step: {place}"));
        match stepped {
            Ok(Step::Finished(_)) => {
                self.run = None;
                self.finished()?;
            }
            Ok(Step::Waiting(..)) => self.world.clock.advance(std::time::Duration::from_secs(15)),
            Ok(_) => {}
            Err(error) => {
                self.run = None;
                let late = matches!(place, "seal" | "purge" | "commit");
                self.reopen = late && self.world.looks_past(Known::StaleReferences);
                self.excused(excuses, "a run", &error)?;
            }
        }
        self.look_through_filter()
    }

    fn begin(&mut self) -> Verdict {
        // The node makes its head durable before it lets a run begin at it.
        self.flush()?;
        if self.world.node.durable_head != self.world.node.head {
            return Ok(());
        }
        let excuses = self.world.wire.excuses();
        self.world.wire.set_place("finish");
        let begun = self.store.begin();
        self.world.wire.set_place("node");
        match begun {
            Ok(run) => {
                self.world.trace.line("a run is ready");
                *self.world.events.sealed.lock() = false;
                self.run = Some(run);
                Ok(())
            }
            Err(error) => {
                self.world.trace.line(format!("no run can begin: {}", told(&error)));
                self.excused(excuses, "the beginning of a run", &error)
            }
        }
    }

    /// From here on a new run owes what is touched, and no older one does.
    fn protection_begins(&mut self) {
        let world = &mut *self.world;
        world.runs += 1;
        world.oracle.owed.clear();
        world.oracle.reasons.clear();
        world.oracle.written.clear();
        world.oracle.carried.clear();
        world.oracle.canonical = world.headers_of_chain();
        let mut roots = world.pooled.clone();
        roots.extend(self.held.iter().filter(|held| held.is_looking()).map(|held| held.id));
        for root in roots {
            let owed =
                crate::oracle::closure(&world.universe, root, &world.oracle.canonical, |id| world.there(id));
            world.oracle.owe(owed, root, "protected or viewed as the run began");
        }
    }

    fn finished(&mut self) -> Verdict {
        self.world.coverage.count("run: finished");
        self.world.census("after a run")?;
        self.compactions_grow()
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
        if !*self.world.events.sealed.lock() || self.world.wire.is_dead() {
            return Ok(());
        }
        self.world.absorb();
        let excuses = self.world.wire.excuses();
        let ids: Vec<_> = self.world.oracle.live.union(&self.world.oracle.owed).copied().collect();
        for id in ids {
            let cid = self.world.universe.cid(id);
            if !self.world.hot_has(&cid) {
                continue;
            }
            match self.store.has(&cid) {
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
        let absurd = match error {
            Error::Port(error) => error.kind() == ErrorKind::Corrupt,
            Error::NoSpace { .. } | Error::Stopped(_) => false,
            _ => true,
        };
        if absurd || self.world.wire.excuses() == before {
            let law = "no error without a fault, no fault takes a block";
            return Err(Broken::new(law, format!("{what}: {}", told(error))));
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

    /// The name of the moment between two steps.
    pub(crate) fn moment(&self) -> &'static str {
        match &self.run {
            None => "idle",
            Some(run) if run.phase() == splitstore_domain::Phase::Idle => "prepare",
            Some(run) => run.phase().name(),
        }
    }
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
