//! What an operator may wish of a store: pause, resume, cancel, hold, and to see how far a run is.

use std::time::Duration;

use splitstore_domain::{Hold, PaceNow, Phase, PhaseReport};

use crate::conductor::{Failed, Pace};
use crate::store::SplitStore;

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// The phase, what it has handled so far, and for how long it has been at it.
    pub report: PhaseReport,
    /// Objects that the phase is expected to handle: as many as the last run for mark, what collection found for transfer
    /// and, at most, for purge; `None` where nothing is known.
    pub expected: Option<u64>,
    /// Whether it goes on.
    pub pace: Pace,
    /// How much of its time it works, so that others can; `None` if no run is under way.
    pub pacing: Option<PaceNow>,
    /// Whether it is the rest of a run that had sealed before a restart, or failed in its purge.
    pub resumed: bool,
}

/// A run that failed. One that was cancelled, held or closed has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The phase it failed in.
    pub phase: Phase,
    /// Why, with its causes.
    pub error: String,
    /// How long ago.
    pub ago: Duration,
    /// Runs that have failed in a row, this one included.
    pub in_a_row: u32,
    /// How long no run starts by itself from now on.
    pub backs_off: Duration,
}

/// What a run shows of itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct UnderWay {
    pub(crate) report: PhaseReport,
    pub(crate) resumed: bool,
    /// When this was so.
    pub(crate) told: Duration,
}

impl UnderWay {
    /// A purge is about to go on.
    pub(crate) fn resumed(told: Duration) -> Self {
        Self { report: PhaseReport { phase: Phase::Purge, ..PhaseReport::default() }, resumed: true, told }
    }

    /// The report, with the time since the last step in it.
    fn report(&self, now: Duration) -> PhaseReport {
        let mut report = self.report;
        if report.phase != Phase::Idle {
            report.duration = report.duration.saturating_add(now.saturating_sub(self.told));
        }
        report
    }
}

impl Status {
    /// Objects a second in this phase, so far.
    pub fn rate(&self) -> f64 {
        self.report.rate()
    }

    /// Time left in this phase at its present rate.
    pub fn eta(&self) -> Option<Duration> {
        let left = self.expected?.saturating_sub(self.report.objects);
        let rate = self.report.rate();
        (rate > 0.0).then(|| Duration::from_secs_f64(left as f64 / rate))
    }
}

impl SplitStore {
    /// How far the run under way is; phase `Idle` if none is.
    pub fn status(&self) -> Status {
        let under_way = *self.inner.under_way.lock();
        let (report, resumed) = (under_way.report(self.inner.clock.elapsed()), under_way.resumed);
        let expected = match report.phase {
            Phase::Mark => self.inner.ledger.marked().ok().filter(|marked| *marked > 0),
            Phase::Transfer => Some(self.inner.planned.lock().0),
            Phase::Purge => Some(self.inner.planned.lock().1).filter(|left| !resumed || *left > 0),
            _ => None,
        };
        let pace = match self.inner.conductor.pace(report.phase) {
            Pace::Going if self.inner.pacer.is_resting() => Pace::Resting,
            pace => pace,
        };
        Status { report, expected, pace, pacing: self.inner.pacer.now(), resumed }
    }

    /// The last run that failed since the store was opened; `None` if there is none, or one has succeeded since.
    pub fn last_failure(&self) -> Option<Failure> {
        let (Failed { phase, error, at, in_a_row }, not_before) = self.inner.conductor.last_failure()?;
        let now = self.inner.clock.elapsed();
        let (ago, backs_off) = (now.saturating_sub(at), not_before.saturating_sub(now));
        Some(Failure { phase, error, ago, in_a_row, backs_off })
    }

    /// Lets the run under way, and every later one, wait between two steps until [`SplitStore::resume`]. Reads
    /// and writes go on.
    pub fn pause(&self) {
        self.inner.conductor.set_pace(Pace::Paused);
    }

    /// Ends a pause.
    pub fn resume(&self) {
        self.inner.conductor.set_pace(Pace::Going);
    }

    /// Ends the run under way if it has not sealed; one that has goes on, as half a purge helps nobody.
    pub fn cancel(&self) {
        self.inner.conductor.cancel();
    }

    /// Puts a hold on: while it holds no run starts by itself, and one under way stops before it seals.
    pub fn hold(&self, hold: Hold) {
        self.inner.conductor.hold(hold);
    }

    /// Takes a hold off; whether it was on.
    pub fn release(&self, name: &str) -> bool {
        self.inner.conductor.release(name)
    }

    /// All holds, whether they hold at the present head or not.
    pub fn holds(&self) -> Vec<Hold> {
        self.inner.conductor.holds()
    }
}
