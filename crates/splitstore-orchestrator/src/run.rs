//! One compaction as a stepper: each step does a bounded piece of work and says what came of it.
//!
//! ```text
//!   prepare -> Prepared      protection on, registered roots collected, work folder opened
//!   mark    -> Marked        the chain inside the window, then all references seen meanwhile
//!   collect -> Collected     hot keys against the marks; candidates written in key order
//!   transfer-> Settled       copied to cold, verified, synced (or nothing to copy)
//!   seal    -> Sealed        marks durable and installed as the read filter
//!   purge   -> Purged        bounded batches: check marks again, delete, move the durable cursor
//!   commit  -> report        base, index, journal, files; then space is given back
//! ```
//! Each phase consumes the evidence of the one before: `Purged` cannot be had without `Sealed`, nor that
//! without `Settled`. A thread loops over [`Run::step`]; a simulator calls it between other actors' steps.
//!
//! Errors before the seal drop the run: nothing was deleted. Errors after it leave the filter on until a later
//! run, or the next open, has finished the purge from its journal: a run that finds such a purge begins with it, in
//! the same steps.
//!
//! ```text
//!   unfinished? -> purge from its cursor -> commit -> FinishedEarlier -> prepare -> ..
//! ```

mod absent;
mod awaited;
mod collect;
mod commit;
mod copier;
mod late;
mod linked;
mod listing;
mod mark;
mod ordered;
mod pass;
mod prepare;
mod purge;
mod rewrite;
mod scan;
mod seal;
mod transfer;
mod work;

use std::time::Duration;

use parking_lot::MutexGuard;
use splitstore_domain::pacing::Worked;
use splitstore_domain::{
    ByteCount, CompactionPlan, CompactionReport, MarkReport, Phase, PhaseReport, TierSizes, Window,
};
use splitstore_ports::Event;

use crate::control::UnderWay;
use crate::error::{Error, Result};
use crate::pacer::Paced;
use crate::store::Inner;

pub(crate) use prepare::new_sets;
pub(crate) use purge::Purging;
pub(crate) use scan::threads;
pub(crate) use work::{RUN, Work};

/// What a step came to.
#[derive(Debug, Clone)]
pub enum Step {
    /// There is more to do, in this phase.
    Working(Phase),
    /// There is nothing to do in this phase until the clock says so much; stepping earlier does no harm.
    Waiting(Phase, Duration),
    /// The purge of an earlier run, of this index, is finished and committed; the run itself begins now.
    FinishedEarlier(u64),
    /// It is time to let others at the tiers until the clock says so much; stepping earlier does no harm.
    Resting(Phase, Duration),
    /// A dry run has its answer.
    Planned(CompactionPlan),
    /// The run is over.
    Finished(Box<CompactionReport>),
}

/// A compaction under way. Dropping it before it has sealed drops the run.
pub struct Run<'a> {
    cx: &'a Inner,
    _exclusive: MutexGuard<'a, ()>,
    purpose: Purpose,
    whose: Whose,
    state: State<'a>,
    window: Window,
    tracker: Tracker,
    _paced: Paced<'a>,
}

/// What a run is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Compact,
    Plan,
    /// Only to finish an earlier run.
    Finish,
}

/// Whose purge and commit it is at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Own,
    /// Of a run that sealed and did not end.
    Earlier,
}

/// Where the run stands, with the evidence to go on.
enum State<'a> {
    Prepare,
    Mark(mark::Marking<'a>),
    Collect(collect::Collecting<'a>),
    Transfer(transfer::Transferring<'a>),
    Seal(seal::Sealing),
    Purge(Purging),
    Commit(purge::Purged),
    Over,
}

/// What a phase makes of one step: more of itself, or the next evidence.
pub(crate) enum Advance<More, Done> {
    More(More),
    /// More, but not before the clock has come to this.
    Wait(More, Duration),
    Done(Done),
}

impl<'a> Run<'a> {
    /// A run in this window, which begins with the purge that an earlier one left unfinished.
    pub(crate) fn new(
        cx: &'a Inner,
        exclusive: MutexGuard<'a, ()>,
        window: Window,
        unfinished: Option<Purging>,
    ) -> Self {
        cx.conductor.begin();
        let (purpose, tracker) = (Purpose::Compact, Tracker::default());
        let (whose, state) = (Whose::Own, State::Prepare);
        let paced = cx.pacer.begin(cx.clock.elapsed());
        let mut run =
            Self { cx, _exclusive: exclusive, purpose, whose, state, window, tracker, _paced: paced };
        if let Some(purging) = unfinished {
            run.take_up(purging);
        }
        run
    }

    /// The rest of an earlier run, and nothing else.
    pub(crate) fn rest(cx: &'a Inner, exclusive: MutexGuard<'a, ()>, unfinished: Purging) -> Self {
        let window = unfinished.window();
        let mut run = Self::new(cx, exclusive, window, Some(unfinished));
        run.purpose = Purpose::Finish;
        run
    }

    fn take_up(&mut self, purging: Purging) {
        self.whose = Whose::Earlier;
        self.state = State::Purge(purging);
        self.tracker.started = self.cx.clock.elapsed();
        self.tracker.begin_phase(self.cx, Phase::Purge);
        self.tell();
    }

    /// The same run, ended after collection.
    pub(crate) fn dry(mut self) -> Self {
        self.purpose = Purpose::Plan;
        self
    }

    /// The phase it is in.
    pub fn phase(&self) -> Phase {
        self.tracker.current.phase
    }

    /// Whether it is at the rest of an earlier run, which had sealed.
    pub fn resumes(&self) -> bool {
        self.whose == Whose::Earlier
    }

    /// Whether it has taken its last step.
    pub const fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Does one bounded piece of work.
    pub fn step(&mut self) -> Result<Step> {
        let (began, bytes) = (self.cx.clock.elapsed(), self.tracker.bytes());
        self.cx.pacer.works();
        let stepped = self.cx.conductor.check(self.phase()).and_then(|()| self.advance());
        let rest = self.rest_after(began, bytes);
        self.tracker.tick(self.cx);
        self.tell();
        if let Err(error) = &stepped {
            self.fail(error);
        }
        match stepped {
            Ok(Step::Working(phase)) if !rest.is_zero() => {
                Ok(Step::Resting(phase, self.cx.clock.elapsed().saturating_add(rest)))
            }
            stepped => stepped,
        }
    }

    /// How long to rest after a step that began then, when so many bytes had been read and written.
    fn rest_after(&self, began: Duration, bytes: u64) -> Duration {
        let now = self.cx.clock.elapsed();
        let read = self.tracker.bytes().saturating_sub(bytes);
        // What moves or is rewritten is written as well.
        let copies = matches!(self.phase(), Phase::Transfer | Phase::Purge);
        let bytes = if copies { read.saturating_mul(2) } else { read };
        let step = Worked { time: now.saturating_sub(began), bytes };
        self.cx.pacer.rests(step, now)
    }

    /// Shows how far it is.
    fn tell(&self) {
        let resumed = self.whose == Whose::Earlier;
        *self.cx.under_way.lock() =
            UnderWay { report: self.tracker.current, resumed, told: self.cx.clock.elapsed() };
    }

    fn advance(&mut self) -> Result<Step> {
        let cx = self.cx;
        let state = std::mem::replace(&mut self.state, State::Over);
        let meter = &mut self.tracker.current;
        self.state = match state {
            State::Prepare => {
                self.tracker.start(cx, self.window)?;
                let prepared = prepare::run(cx, self.window, &mut self.tracker.current)?;
                self.enter(Phase::Mark);
                State::Mark(mark::Marking::new(cx, prepared)?)
            }
            State::Mark(marking) => match marking.step(cx, meter)? {
                Advance::More(marking) => State::Mark(marking),
                Advance::Wait(marking, until) => {
                    self.state = State::Mark(marking);
                    return Ok(Step::Waiting(self.phase(), until));
                }
                Advance::Done(marked) => self.marked(marked)?,
            },
            State::Collect(collecting) => match collecting.step(cx, meter)? {
                Advance::More(collecting) | Advance::Wait(collecting, _) => State::Collect(collecting),
                Advance::Done(collected) => return self.collected(collected),
            },
            State::Transfer(transferring) => match transferring.step(cx, meter)? {
                Advance::More(transferring) | Advance::Wait(transferring, _) => State::Transfer(transferring),
                Advance::Done((settled, plan)) => {
                    self.planned(plan.as_ref());
                    self.enter(Phase::Seal);
                    State::Seal(seal::Sealing::new(cx, settled)?)
                }
            },
            State::Seal(sealing) => match sealing.step(cx, meter)? {
                Advance::More(sealing) | Advance::Wait(sealing, _) => State::Seal(sealing),
                Advance::Done(sealed) => {
                    self.enter(Phase::Purge);
                    State::Purge(Purging::new(cx, sealed)?)
                }
            },
            State::Purge(purging) => match purging.step(cx, meter)? {
                Advance::More(purging) => State::Purge(purging),
                Advance::Wait(purging, until) => {
                    self.state = State::Purge(purging);
                    return Ok(Step::Waiting(self.phase(), until));
                }
                Advance::Done(purged) => {
                    self.enter(Phase::Commit);
                    State::Commit(purged)
                }
            },
            State::Commit(purged) if self.whose == Whose::Earlier => return self.commit_earlier(purged),
            State::Commit(purged) => return self.commit(purged),
            State::Over => return Err(Error::Stopped(Phase::Idle)),
        };
        Ok(Step::Working(self.phase()))
    }

    fn marked(&mut self, marked: mark::Marked<'a>) -> Result<State<'a>> {
        self.tracker.marking = marked.marking.clone();
        self.enter(Phase::Collect);
        Ok(State::Collect(collect::Collecting::new(self.cx, marked, self.purpose)?))
    }

    fn collected(&mut self, collected: collect::Collected<'a>) -> Result<Step> {
        match &collected {
            collect::Collected::Counted(counted) => {
                let counts = counted.counts();
                *self.cx.planned.lock() = (counts.for_cold, counts.leave);
            }
            collect::Collected::Listed(listed) => self.planned(Some(&listed.plan)),
        }
        match collected {
            collect::Collected::Listed(listed) if self.purpose == Purpose::Plan => {
                self.tracker.finish_phase(self.cx);
                listed.work.drop_run(self.cx)?;
                return Ok(Step::Planned(listed.plan));
            }
            collected => {
                self.enter(Phase::Transfer);
                self.state = State::Transfer(transfer::Transferring::new(self.cx, collected)?);
            }
        }
        Ok(Step::Working(self.phase()))
    }

    /// The plan is known, if it was not before.
    fn planned(&mut self, plan: Option<&CompactionPlan>) {
        let Some(plan) = plan else { return };
        *self.cx.planned.lock() = ((plan.transfer + plan.copy).blocks, plan.candidates().blocks);
        self.cx.observer.on_event(&Event::Planned(plan.clone()));
        if plan.missing > 0 {
            self.cx.observer.on_event(&Event::MissingReferences(plan.missing));
        }
        self.tracker.plan = Some(plan.clone());
    }

    fn commit(&mut self, purged: purge::Purged) -> Result<Step> {
        let (spared, choice, shortfall) = (purged.spared, purged.choice, purged.shortfall);
        let index = commit::run(self.cx, purged, &mut self.tracker.current)?;
        self.tracker.finish_phase(self.cx);
        let tracker = std::mem::take(&mut self.tracker);
        let report = CompactionReport {
            index,
            plan: tracker.plan.expect("a run that commits was collected"),
            phases: tracker.phases,
            spared,
            marking: tracker.marking,
            purge: choice,
            shortfall,
            before: tracker.before,
            after: self.cx.tiers.sizes()?,
        };
        self.cx.conductor.succeeded();
        self.cx.observer.on_event(&Event::Finished(Box::new(report.clone())));
        Ok(Step::Finished(Box::new(report)))
    }

    /// Ends an earlier run. What this one set out with was cut at a base that has moved now.
    fn commit_earlier(&mut self, purged: purge::Purged) -> Result<Step> {
        let cx = self.cx;
        let spared = purged.spared;
        let index = commit::run(cx, purged, &mut self.tracker.current)?;
        self.tracker.finish_phase(cx);
        let deleted = self.tracker.phases.iter().find(|phase| phase.phase == Phase::Purge);
        let deleted = deleted.map_or(0, |purge| purge.objects);
        cx.observer.on_event(&Event::FinishedEarlier { index, deleted, spared });
        self.tracker = Tracker::default();
        self.whose = Whose::Own;
        if let Some(more) = crate::recover::unfinished(cx)? {
            self.take_up(more);
        } else if self.purpose != Purpose::Finish {
            self.window = cx.window_now()?;
            self.state = State::Prepare;
        } else {
            cx.conductor.failure_is_over();
        }
        Ok(Step::FinishedEarlier(index))
    }

    fn enter(&mut self, phase: Phase) {
        self.tracker.enter(self.cx, phase);
    }

    fn fail(&mut self, error: &Error) {
        let phase = self.phase();
        self.state = State::Over;
        self.cx.failed(phase, error);
        self.abandon();
    }

    /// Drops what a run that has not sealed left; from the seal on, everything stays for recovery.
    fn abandon(&self) {
        *self.cx.under_way.lock() = UnderWay::default();
        let phase = self.phase();
        if phase == Phase::Idle || phase.must_finish() {
            return;
        }
        // A seal may fail after its record got out: then it has sealed, and the filter stays until the purge is
        // finished. If that cannot be told, too.
        if phase != Phase::Seal || crate::recover::nothing_sealed(self.cx) {
            self.cx.protection.end();
            crate::recover::drop_unsealed(self.cx);
        }
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        if !matches!(self.state, State::Prepare | State::Over) {
            self.abandon();
        }
    }
}

/// Counts and times of the phases.
#[derive(Default)]
struct Tracker {
    phases: Vec<PhaseReport>,
    current: PhaseReport,
    started: Duration,
    before: TierSizes,
    marking: MarkReport,
    plan: Option<CompactionPlan>,
}

impl Tracker {
    fn start(&mut self, cx: &Inner, window: Window) -> Result<()> {
        cx.observer.on_event(&Event::Started(window));
        self.before = cx.tiers.sizes()?;
        self.started = cx.clock.elapsed();
        self.begin_phase(cx, Phase::Prepare);
        Ok(())
    }

    fn enter(&mut self, cx: &Inner, phase: Phase) {
        self.finish_phase(cx);
        self.begin_phase(cx, phase);
    }

    fn begin_phase(&mut self, cx: &Inner, phase: Phase) {
        self.current = PhaseReport { phase, ..PhaseReport::default() };
        cx.observer.on_event(&Event::PhaseStarted(phase));
    }

    /// All that was read and written so far.
    fn bytes(&self) -> u64 {
        self.phases.iter().chain([&self.current]).map(|phase| phase.bytes.0).sum()
    }

    fn tick(&mut self, cx: &Inner) {
        if self.current.phase != Phase::Idle {
            self.current.duration = cx.clock.elapsed().saturating_sub(self.started);
        }
    }

    fn finish_phase(&mut self, cx: &Inner) {
        let now = cx.clock.elapsed();
        self.current.duration = now.saturating_sub(self.started);
        self.started = now;
        self.phases.push(self.current);
        cx.observer.on_event(&Event::PhaseFinished(self.current));
    }
}

/// Adds work to a phase's counts.
pub(crate) fn count(meter: &mut PhaseReport, objects: u64, bytes: u64) {
    meter.objects += objects;
    meter.bytes += ByteCount(bytes);
}
