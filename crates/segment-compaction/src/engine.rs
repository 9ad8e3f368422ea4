//! The loop, one turn at a time: survey, plan, choose, lease, compact, remember.
//!
//! ```text
//!   turn(idle) ->  Did(report)            something was compacted: come again at once
//!                  Failed(error)          remembered; the group waits longer each time
//!                  Waiting(moment)        all that could be done failed lately: nothing before then
//!                  Busy                   as many compactions run as may
//!                  Idle                   nothing to do until something is written
//! ```
//! It has no thread and no timer: whoever owns it calls `turn` from as many threads as compactions may run.

use std::collections::BTreeSet;
use std::time::Duration;

use parking_lot::Mutex;

use crate::backoff::{Backoff, BackoffSettings, Sentence};
use crate::compactor::{Compactor, Report, chain};
use crate::error::{CompactError, FormatError};
use crate::format::{Merger, SegmentFormat};
use crate::generation::{Level, SegmentId, Sequence};
use crate::listing::Listing;
use crate::lock::{GroupLock, Lease};
use crate::observer::Event;
use crate::plan::{Ask, Group, Held, Hold, Plan, Planner, Taken};
use crate::schedule::{Lane, next_lane};

/// Plans and compacts one folder.
pub struct Engine<F: SegmentFormat> {
    planner: Planner,
    compactor: Compactor<F>,
    lock: GroupLock,
    state: Mutex<State>,
    running_max: usize,
}

struct State {
    backoff: Backoff,
    force_full: bool,
    running: usize,
    /// Damaged segments that were told of.
    told: BTreeSet<SegmentId>,
    /// Generations that were rewritten to take fewer segments, and did not.
    fruitless: BTreeSet<Vec<SegmentId>>,
}

/// What a turn came to.
#[derive(Debug)]
pub enum Turn {
    /// A group was compacted.
    Did(Report),
    /// A group failed, and what is decided about it; nothing if it was stopped.
    Failed(CompactError, Option<Sentence>),
    /// All groups failed lately; the first may be tried again at this moment of the clock.
    Waiting(Duration),
    /// As many compactions run as may.
    Busy,
    /// There is nothing to do.
    Idle,
}

impl State {
    fn new(backoff: BackoffSettings) -> Self {
        let (told, fruitless) = (BTreeSet::new(), BTreeSet::new());
        Self { backoff: Backoff::new(backoff), force_full: false, running: 0, told, fruitless }
    }

    /// A generation that did not come to take fewer segments is not rewritten for that again, whatever its format
    /// says of its room.
    fn succeeded(&mut self, group: &Group, report: &Report) {
        self.backoff.succeeded(group);
        if matches!(group.reason, Taken::Joinable(before) if report.outputs.len() >= before) {
            self.fruitless.insert(report.outputs.clone());
        }
    }
}

enum Choice {
    Run(Group, Lease),
    Waiting(Duration),
    Idle,
}

impl<F: SegmentFormat> Engine<F> {
    /// An engine that runs up to `running_max` compactions at once.
    pub fn new(
        planner: Planner,
        compactor: Compactor<F>,
        backoff: BackoffSettings,
        running_max: usize,
    ) -> Self {
        let state = State::new(backoff);
        Self { planner, compactor, lock: GroupLock::new(), state: Mutex::new(state), running_max }
    }

    /// Its compactor.
    pub fn compactor(&self) -> &Compactor<F> {
        &self.compactor
    }

    /// Its planner.
    pub fn planner(&self) -> &Planner {
        &self.planner
    }

    /// Which segments are in use.
    pub fn lock(&self) -> &GroupLock {
        &self.lock
    }

    /// The next turns compact everything that gains by it, before anything else.
    pub fn force_full(&self) {
        self.state.lock().force_full = true;
    }

    /// Forgets failures and quarantines.
    pub fn forgive(&self) {
        self.state.lock().backoff.forgive();
    }

    /// Plans and, if anything is to be done, does one thing. `idle` is how long nothing was written.
    pub fn turn(&self, idle: Duration) -> Result<Turn, CompactError> {
        let (group, lease) = {
            let mut state = self.state.lock();
            if state.running >= self.running_max {
                return Ok(Turn::Busy);
            }
            match self.choose(&mut state, idle)? {
                Choice::Run(group, lease) => {
                    state.running += 1;
                    (group, lease)
                }
                Choice::Waiting(until) => return Ok(Turn::Waiting(until)),
                Choice::Idle => return Ok(Turn::Idle),
            }
        };
        let outcome = self.compactor.compact(&group, &lease);
        let mut state = self.state.lock();
        state.running -= 1;
        Ok(match outcome {
            Ok(report) => {
                state.succeeded(&group, &report);
                Turn::Did(report)
            }
            Err(error) => {
                let sentence = state.backoff.failed(&group, &error, self.compactor.clock().now());
                Turn::Failed(error, sentence)
            }
        })
    }

    /// Writes a snapshot as a new generation.
    pub fn snapshot<M: Merger<Writer = F::Writer>>(&self, merger: M) -> Result<Report, CompactError> {
        let generation = self.compactor.folder().next_generation()?;
        let first = SegmentId { generation, sequence: Sequence::FIRST };
        let lease = self.lock.acquire_segments(&[first]);
        let lease = lease.map_err(|in_use| CompactError::Stale(in_use.to_string()))?;
        self.compactor.snapshot(merger, &lease)
    }

    /// What the next turn would choose from.
    pub fn plans(&self, idle: Duration) -> Result<Vec<Plan>, CompactError> {
        self.plan_all(&mut self.state.lock(), idle)
    }

    fn choose(&self, state: &mut State, idle: Duration) -> Result<Choice, CompactError> {
        let plans = self.plan_all(state, idle)?;
        let now = self.compactor.clock().now();
        let ready =
            |plan: &Plan| plan.groups.iter().filter(|group| state.backoff.is_ready(group, now)).count();
        let waiting = |lane| plans.iter().filter(|plan| Lane::of(plan.ask) == lane).map(ready).sum();
        let Some(lane) = next_lane(waiting) else {
            let due = state.backoff.next_due(plans.iter().flat_map(|plan| &plan.groups));
            return Ok(due.map_or(Choice::Idle, Choice::Waiting));
        };
        let groups = plans.iter().filter(|plan| Lane::of(plan.ask) == lane).flat_map(|plan| &plan.groups);
        for group in groups.filter(|group| state.backoff.is_ready(group, now)) {
            if let Ok(lease) = self.lock.acquire(group) {
                plans.iter().filter(|plan| plan.groups.contains(group)).for_each(|plan| {
                    self.compactor.tell(&Event::Planned(Box::new(plan.clone())));
                });
                return Ok(Choice::Run(group.clone(), lease));
            }
        }
        Ok(Choice::Idle)
    }

    /// Plans of all lanes, disjoint. What is in use is read before the folder is: a compaction that ends in
    /// between is then still seen as running, never as half-installed.
    fn plan_all(&self, state: &mut State, idle: Duration) -> Result<Vec<Plan>, CompactError> {
        let mut held = self.lock.held();
        let survey = self.compactor.folder().survey(self.compactor.format())?;
        self.tell_damaged(&mut state.told, &survey.damaged);
        state.backoff.retain(&survey.listing);
        held.extend(state.backoff.held());
        held.extend(survey.held());
        if state.force_full {
            let plan = self.planner.plan(&survey.listing, &held, Ask::ForcedFull);
            if !plan.groups.is_empty() {
                return Ok(vec![plan]);
            }
            state.force_full = false;
        }
        let mut plans = self.plan_levels(&survey.listing, held, idle);
        for plan in &mut plans {
            plan.groups.retain(|group| !state.fruitless.contains(&group.segments));
        }
        Ok(plans)
    }

    fn tell_damaged(&self, told: &mut BTreeSet<SegmentId>, damaged: &[(SegmentId, FormatError)]) {
        told.retain(|segment| damaged.iter().any(|(id, _)| id == segment));
        for (segment, error) in damaged {
            if told.insert(*segment) {
                let reason = chain(error);
                self.compactor.tell(&Event::Damaged { segment: *segment, reason });
            }
        }
    }

    fn plan_levels(&self, listing: &Listing, mut held: Held, idle: Duration) -> Vec<Plan> {
        let mut plans = Vec::new();
        for level in [Level::ONE, Level::TWO, Level::THREE] {
            plans.push(self.planner.plan(listing, &held, Ask::Level(level)));
        }
        for plan in &plans {
            reserve(&mut held, plan);
        }
        let oldest = self.planner.full_or_steps(listing, &held, idle);
        reserve(&mut held, &oldest);
        if oldest.groups.is_empty() {
            plans.push(self.planner.plan(listing, &held, Ask::Optimize { idle }));
        }
        plans.push(oldest);
        plans
    }
}

/// Keeps later plans away from the groups of this one.
fn reserve(held: &mut Held, plan: &Plan) {
    let generations = plan.groups.iter().flat_map(|group| &group.segments).map(|id| id.generation);
    held.extend(generations.map(|generation| (generation, Hold::InUse)));
}
