//! When a run may start, and when it may go on: pause, cancel, close, holds, the sync gate, back-off.
//!
//! A run looks here between its steps and nowhere else. Every wait here ends when a wish changes, so close never
//! waits for one.

use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use splitstore_domain::trigger::Why;
use splitstore_domain::{Epoch, Hold, Phase, SyncGate, SyncPolicy, SyncState};

use crate::error::{Error, Result};

/// First wait after a failed run; each further failure doubles it.
const BACK_OFF: Duration = Duration::from_secs(30);
/// Longest wait after failed runs.
const BACK_OFF_MAX: Duration = Duration::from_secs(3600);

/// The wishes of everybody but the run.
pub(crate) struct Conductor {
    wishes: Mutex<Wishes>,
    changed: Condvar,
}

struct Wishes {
    pace: Pace,
    stop: Stop,
    sync: SyncGate,
    room: Room,
    holds: Vec<Hold>,
    head: Option<Epoch>,
    /// Runs that did not end, in a row, and until when none starts by itself.
    broken_off: u32,
    not_before: Duration,
    failed: Option<Failed>,
}

/// The last run that failed, as long as none has succeeded since.
#[derive(Debug, Clone)]
pub(crate) struct Failed {
    pub(crate) phase: Phase,
    pub(crate) error: String,
    /// On the store's clock.
    pub(crate) at: Duration,
    /// Runs that have failed in a row.
    pub(crate) in_a_row: u32,
}

/// Whether the run under way goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// It does.
    #[default]
    Going,
    /// It does, and is between two steps of a paced run now. Only [`crate::Status`] says so.
    Resting,
    /// An operator paused it.
    Paused,
    /// The node is behind its chain.
    Behind,
}

/// Room on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    Enough,
    /// So little that being behind, or having failed, keeps no run waiting.
    Short,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    No,
    /// The run under way, unless it has sealed.
    Run,
    /// Everything, for good.
    Store,
}

impl Conductor {
    pub(crate) fn new(sync: SyncPolicy) -> Self {
        let wishes = Wishes {
            pace: Pace::Going,
            stop: Stop::No,
            sync: SyncGate::new(sync),
            room: Room::Enough,
            holds: Vec::new(),
            head: None,
            broken_off: 0,
            not_before: Duration::ZERO,
            failed: None,
        };
        Self { wishes: Mutex::new(wishes), changed: Condvar::new() }
    }

    /// Takes in a new head and its age.
    pub(crate) fn observe_head(&self, head: Epoch, age: Duration) {
        self.wish(|wishes| {
            wishes.head = Some(head);
            wishes.sync.observe(age);
        });
    }

    /// Takes in how full the disk is.
    pub(crate) fn observe_room(&self, room: Room) {
        self.wish(|wishes| wishes.room = room);
    }

    /// Why no run should start by itself now.
    pub(crate) fn reason_to_wait(&self, now: Duration) -> Option<Why> {
        let wishes = self.wishes.lock();
        if let Some(hold) = wishes.hold() {
            return Some(Why::Held(hold.clone()));
        }
        if wishes.room == Room::Short {
            return None;
        }
        if wishes.sync.state() == SyncState::Behind {
            return Some(Why::Behind);
        }
        let wait = wishes.not_before.saturating_sub(now);
        (!wait.is_zero()).then_some(Why::BackingOff { wait })
    }

    /// A run begins: a cancel meant the one before.
    pub(crate) fn begin(&self) {
        self.wish(|wishes| {
            if wishes.stop == Stop::Run {
                wishes.stop = Stop::No;
            }
        });
    }

    /// An error if the run must not take its next step in this phase. From the seal on only closing stops it:
    /// the journal has the rest. Commit is short, and ends.
    pub(crate) fn check(&self, phase: Phase) -> Result<()> {
        let wishes = self.wishes.lock();
        match (wishes.stop, phase) {
            (Stop::Store, Phase::Commit) | (Stop::Run, Phase::Purge | Phase::Commit) => Ok(()),
            (Stop::Store | Stop::Run, _) => Err(Error::Stopped(phase)),
            (Stop::No, _) if phase.must_finish() => Ok(()),
            (Stop::No, _) => {
                wishes.hold().map_or(Ok(()), |hold| Err(Error::Held { hold: hold.to_string(), phase }))
            }
        }
    }

    /// Waits while the run is paused, or the node behind, the disk not full and the run not sealed yet.
    pub(crate) fn wait_to_go_on(&self, phase: Phase) {
        let mut wishes = self.wishes.lock();
        while wishes.may_wait(phase) && wishes.pace_in(phase) != Pace::Going {
            self.changed.wait(&mut wishes);
        }
    }

    /// Waits for `time` at most, or until a wish changes; not if a run in this phase may not wait.
    pub(crate) fn wait(&self, phase: Phase, time: Duration) {
        let mut wishes = self.wishes.lock();
        if wishes.may_wait(phase) {
            self.changed.wait_for(&mut wishes, time);
        }
    }

    /// Whether a run in this phase goes on.
    pub(crate) fn pace(&self, phase: Phase) -> Pace {
        self.wishes.lock().pace_in(phase)
    }

    pub(crate) fn set_pace(&self, pace: Pace) {
        self.wish(|wishes| wishes.pace = pace);
    }

    pub(crate) fn cancel(&self) {
        self.wish(|wishes| {
            if wishes.stop == Stop::No {
                wishes.stop = Stop::Run;
            }
        });
    }

    pub(crate) fn close(&self) {
        self.wish(|wishes| wishes.stop = Stop::Store);
    }

    /// Puts a hold on, in the place of one of the same name.
    pub(crate) fn hold(&self, hold: Hold) {
        self.wish(|wishes| {
            wishes.holds.retain(|other| other.name != hold.name);
            wishes.holds.push(hold);
        });
    }

    /// Takes a hold off; whether it was on.
    pub(crate) fn release(&self, name: &str) -> bool {
        let mut wishes = self.wishes.lock();
        let before = wishes.holds.len();
        wishes.holds.retain(|hold| hold.name != name);
        wishes.holds.len() < before
    }

    /// The holds, whether they hold at this height or not.
    pub(crate) fn holds(&self) -> Vec<Hold> {
        self.wishes.lock().holds.clone()
    }

    /// A run did not end: the next waits, longer each time. What an operator stopped has not failed, and has no reason.
    pub(crate) fn broke_off(&self, phase: Phase, failure: Option<String>, now: Duration) {
        self.wish(|wishes| {
            let wait = BACK_OFF.saturating_mul(1 << wishes.broken_off.min(16)).min(BACK_OFF_MAX);
            wishes.broken_off = wishes.broken_off.saturating_add(1);
            wishes.not_before = now.saturating_add(wait);
            if let Some(error) = failure {
                let in_a_row = wishes.failed.as_ref().map_or(1, |failed| failed.in_a_row.saturating_add(1));
                wishes.failed = Some(Failed { phase, error, at: now, in_a_row });
            }
        });
    }

    /// The last run that failed, unless one has succeeded since, and until when none starts by itself.
    pub(crate) fn last_failure(&self) -> Option<(Failed, Duration)> {
        let wishes = self.wishes.lock();
        wishes.failed.clone().map(|failed| (failed, wishes.not_before))
    }

    /// What was left of the run that failed has been finished. The next waits all the same.
    pub(crate) fn failure_is_over(&self) {
        self.wish(|wishes| wishes.failed = None);
    }

    /// A run succeeded.
    pub(crate) fn succeeded(&self) {
        self.wish(|wishes| {
            wishes.broken_off = 0;
            wishes.not_before = Duration::ZERO;
            wishes.failed = None;
        });
    }

    fn wish(&self, change: impl FnOnce(&mut Wishes)) {
        change(&mut self.wishes.lock());
        self.changed.notify_all();
    }
}

impl Wishes {
    /// Whether a run in this phase may wait for anything: one that has sealed goes on though it was cancelled, at the
    /// pace that it had; none keeps a store from closing.
    fn may_wait(&self, phase: Phase) -> bool {
        match self.stop {
            Stop::No => true,
            Stop::Run => phase.must_finish(),
            Stop::Store => false,
        }
    }

    /// The first hold that holds at the present head.
    fn hold(&self) -> Option<&Hold> {
        let head = self.head.unwrap_or_default();
        self.holds.iter().find(|hold| hold.holds_at(head))
    }

    fn pace_in(&self, phase: Phase) -> Pace {
        match (self.pace, self.sync.state()) {
            (Pace::Going, SyncState::Behind) if self.room == Room::Enough && !phase.must_finish() => {
                Pace::Behind
            }
            (pace, _) => pace,
        }
    }
}

#[cfg(all(test, not(interleaved)))]
mod tests {
    use super::*;

    fn may_wait(conductor: &Conductor) -> [bool; 3] {
        [Phase::Mark, Phase::Purge, Phase::Commit].map(|phase| conductor.wishes.lock().may_wait(phase))
    }

    #[test]
    fn a_purge_that_was_cancelled_waits_as_before_and_nothing_keeps_a_store_from_closing() {
        let conductor = Conductor::new(SyncPolicy::default());
        assert_eq!(may_wait(&conductor), [true; 3]);
        conductor.cancel();
        assert_eq!(may_wait(&conductor), [false, true, true]);
        conductor.close();
        assert_eq!(may_wait(&conductor), [false; 3]);
    }
}
