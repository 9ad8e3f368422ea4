//! Runs as the schedule takes them: when one begins, each step held against the gates, how one ends.
//!
//! ```text
//!   head change says Compact -> wanted -> begin -> step .. step -> finished | failed | ended as was wished
//!   by hand -------------------------------^        '- only if the gates let it go on
//! ```

use std::time::Duration;

use cid::Cid;
use splitstore_domain::{CompactionPlan, Pacing, Phase};
use splitstore_orchestrator::{Error, MissingReferences, Pace, Run, Step};
use splitstore_ports::Clock;

use crate::broken::{Broken, Verdict};
use crate::gates::{Ends, Wish};
use crate::life::{Life, place_of, told};
use crate::wire::NODE;

/// Who asks for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    ByHead,
    ByHand,
    /// Only to know what it would do.
    Dry,
    /// Only to finish an earlier one.
    Rest,
}

impl Start {
    const fn name(self) -> &'static str {
        match self {
            Self::ByHead => "start: by head change",
            Self::ByHand => "start: by hand",
            Self::Dry => "start: dry",
            Self::Rest => "start: the rest of an earlier one",
        }
    }
}

impl<'s> Life<'s, '_> {
    /// Lets the run do one step, or begins one that is asked for.
    pub(crate) fn step_or_begin(&mut self) -> Verdict {
        if self.run.is_some() {
            return self.step();
        }
        if self.leaves_first() {
            return self.node_turn();
        }
        if self.is_filtering() && self.world.dice.percent(70) {
            return self.begin(Start::Rest);
        }
        if std::mem::take(&mut self.wanted) {
            return self.begin(Start::ByHead);
        }
        if self.world.dice.percent(self.world.options.by_hand) {
            return self.begin(Start::ByHand);
        }
        Ok(())
    }

    /// One step, if the gates let the run go on.
    pub(crate) fn step(&mut self) -> Verdict {
        let Some(run) = &self.run else { return Ok(()) };
        let (phase, place) = (run.phase(), place_of(run));
        if !self.goes_on(phase, place)? || (place == "prepare" && !self.is_head_durable()?) {
            return Ok(());
        }
        let ends = self.world.gates.must_end(phase);
        if place == "prepare" && ends.is_none() {
            self.protection_begins();
        }
        self.world.wire.set_place(place);
        self.world.wire.take_failed_sync();
        let excuses = self.world.wire.excuses();
        let (stepped, acted) = self.step_run(phase);
        let place = self.world.wire.place();
        self.world.wire.set_place(NODE);
        acted?;
        self.world.coverage.count(format!("step: {place}"));
        if let (Some(Ok(_)), Some(tier)) = (&stepped, self.world.wire.take_failed_sync()) {
            let what = format!("in {place} a sync of {} failed, and the run goes on", tier.name());
            return Err(Broken::new("law 6: errors stop, never skip", what));
        }
        match stepped {
            Some(Ok(step)) => self.stepped(&step, ends)?,
            Some(Err(error)) => self.failed(place, &error, ends, excuses)?,
            None => {}
        }
        self.look_through_filter()
    }

    /// Whether the run may take a step, by the store's word and by ours.
    fn goes_on(&mut self, phase: Phase, place: &str) -> Result<bool, Broken> {
        let expected = self.world.gates.pace(phase);
        let said = match self.store.status().pace {
            // Whoever steps a run may cut its rests short.
            Pace::Resting => Pace::Going,
            pace => pace,
        };
        if said != expected {
            let what = format!("in {phase} it is {said:?} and should be {expected:?}");
            return Err(Broken::new("a run goes at the pace that was wished", what));
        }
        match said {
            Pace::Going | Pace::Resting => return Ok(true),
            Pace::Paused => self.world.coverage.count(format!("gate: paused in {place}")),
            Pace::Behind => self.world.coverage.count("gate: a run waits for the node"),
        }
        // Closing ends every wait.
        Ok(self.world.gates.wishes.contains(&Wish::Stop))
    }

    fn stepped(&mut self, step: &Step, ends: Option<Ends>) -> Verdict {
        if let Some(ends) = ends {
            return Err(Broken::new("a run ends when it must", format!("{ends:?}, and it took a step")));
        }
        match step {
            Step::Working(phase) => self.world.trace.line(format!("a step, now {phase}")),
            // A walk of somebody who is held holds keys back.
            Step::Waiting(Phase::Purge, _) => self.world.trace.line("the purge waits for a walk"),
            Step::Waiting(phase, until) => {
                self.waits_as_told()?;
                self.world.trace.line(format!("{phase} waits until {until:?}"));
                self.world.coverage.count("missing: awaited");
                self.world.clock.advance(Duration::from_secs(15));
            }
            Step::FinishedEarlier(index) => {
                self.world.trace.line(format!("run {index} is finished at last"));
                if self.run.as_ref().is_some_and(Run::is_over) {
                    self.run = None;
                }
                self.world.census("after the rest of a run")?;
                return self.compactions_grow();
            }
            Step::Resting(phase, until) => {
                let rest = until.saturating_sub(self.world.clock.elapsed());
                self.world.trace.line(format!("{phase} rests for {rest:?}"));
                if rest.is_zero() || self.world.options.pacing() == Pacing::Fast {
                    let what = format!("in {phase} it rests for {rest:?}");
                    return Err(Broken::new("a run rests only if it is paced", what));
                }
                self.world.coverage.count("run: rests");
                self.world.clock.advance(rest);
            }
            Step::Planned(plan) => {
                self.world.trace.line(format!("planned: {} candidates", plan.candidates().blocks));
                self.world.coverage.count("run: planned");
                self.run = None;
            }
            Step::Finished(report) => {
                self.run = None;
                self.missed_as_told(&report.plan)?;
                if report.plan.copy.blocks > 0 {
                    self.world.coverage.count("run: live blocks are copied");
                }
                return self.finished(report.spared);
            }
        }
        Ok(())
    }

    fn waits_as_told(&self) -> Verdict {
        match self.world.options.missing {
            MissingReferences::Wait { .. } => Ok(()),
            told => {
                Err(Broken::new("references are missed as was told", format!("it waits, told to {told:?}")))
            }
        }
    }

    /// Told to fail, a run goes on without what is tolerated anyway, and without nothing else.
    fn missed_as_told(&self, plan: &CompactionPlan) -> Verdict {
        let world = &self.world;
        if world.options.missing != MissingReferences::Fail {
            return Ok(());
        }
        let is_known =
            |cid: &Cid| world.universe.of_key(&cid.into()).filter(|id| world.may_miss.contains(id));
        let Some(cid) = plan.missing_listed.iter().find(|cid| is_known(cid).is_none()) else { return Ok(()) };
        let named = world.universe.of_key(&cid.into()).map_or(cid.to_string(), |id| format!("b{id}"));
        Err(Broken::new(
            "references are missed as was told",
            format!("{named} is missing, and the run went on"),
        ))
    }

    fn finished(&mut self, spared: u64) -> Verdict {
        let world = &mut *self.world;
        world.trace.line(format!("the run is finished, {spared} spared"));
        world.gates.succeeded();
        let options = world.options;
        world.coverage.count("run: finished");
        world.coverage.count(format!("run: finished, cold {}", options.cold));
        world.coverage.count(format!("run: finished, sets {}", options.sets.name()));
        world.census("after a run")?;
        self.compactions_grow()
    }

    fn failed(&mut self, place: &str, error: &Error, ends: Option<Ends>, excuses: u64) -> Verdict {
        self.run = None;
        self.world.broke_off_in(place);
        let now = self.world.clock.elapsed();
        self.world.gates.failed(now);
        self.world.trace.line(format!("the run failed in {place}: {}", told(error)));
        let ended = match error {
            Error::Stopped(_) => Some(Ends::Stopped),
            Error::Held { .. } => Some(Ends::Held),
            _ => None,
        };
        if ended != ends {
            let what = format!("in {place} it had to end {ends:?}, and ended with: {}", told(error));
            return Err(Broken::new("a run ends when it must", what));
        }
        if let Some(ended) = ended {
            self.world.coverage.count(format!("{} in {place}", ended.name()));
            return Ok(());
        }
        self.world.coverage.count(format!("error: in {place}"));
        self.excused(excuses, "a run", error)
    }

    pub(crate) fn begin(&mut self, how: Start) -> Verdict {
        let paused = self.world.gates.wishes.contains(&Wish::Pause);
        if paused || (how != Start::Rest && !self.is_head_durable()?) {
            return Ok(());
        }
        let (excuses, failures) = (self.world.wire.excuses(), self.world.events.failures());
        self.world.wire.set_place("finish");
        let begun = match how {
            Start::Rest => self.store.begin_rest(),
            Start::Dry => self.store.begin_plan().map(Some),
            Start::ByHead | Start::ByHand => self.store.begin().map(Some),
        };
        self.world.wire.set_place(NODE);
        match begun {
            Ok(run) => {
                self.begun(run, how);
                Ok(())
            }
            Err(error) => {
                self.world.trace.line(format!("no run can begin: {}", told(&error)));
                // To fail in an earlier purge is to have failed; not to learn where the chain is, is not.
                if self.world.events.failures() > failures {
                    let now = self.world.clock.elapsed();
                    self.world.gates.failed(now);
                }
                self.excused(excuses, "the beginning of a run", &error)
            }
        }
    }

    fn begun(&mut self, run: Option<Run<'s>>, how: Start) {
        self.head_at_begin = self.world.node.tipsets[self.world.node.head].height;
        let world = &mut *self.world;
        world.trace.line(format!("a run is ready, {}", how.name()));
        world.coverage.count(how.name());
        // Of an earlier one nothing is left but its files, or nothing at all.
        if !run.as_ref().is_some_and(Run::resumes) {
            world.events.unseal();
        }
        if run.is_some() {
            world.gates.wishes.remove(&Wish::Cancel);
        }
        self.run = run;
    }

    /// The node makes its head durable before it lets a run begin at it.
    fn is_head_durable(&mut self) -> Result<bool, Broken> {
        if self.world.node.durable_head != self.world.node.head || self.world.dice.percent(50) {
            self.flush()?;
        }
        Ok(self.world.node.durable_head == self.world.node.head)
    }

    /// From here on a new run owes what is touched, and no older one does.
    fn protection_begins(&mut self) {
        let world = &mut *self.world;
        world.runs += 1;
        world.policies.of_run = world.options.cold;
        world.oracle.fresh.clear();
        world.oracle.owed.clear();
        world.oracle.reasons.clear();
        world.oracle.written.clear();
        world.oracle.carried.clear();
        world.oracle.promised.clear();
        world.oracle.canonical = world.headers_of_chain();
        world.forks_moved();
        world.may_miss = world.tolerated(self.head_at_begin);
        let mut roots: Vec<_> = world.pools.iter().flat_map(|pool| pool.ids.clone()).collect();
        roots.extend(self.held.iter().filter(|held| held.is_looking()).map(|held| held.id));
        for root in roots {
            self.world.owe_below(root, "protected or viewed as the run began");
        }
    }
}

impl Ends {
    const fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stop: asked to",
            Self::Held => "stop: held",
        }
    }
}
