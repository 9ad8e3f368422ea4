//! The observer of a store under load: which run and phase it is in, and what went wrong.
//!
//! ```text
//!   state    number of runs begun << 8 | stage        one atomic: read before and after an operation
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use splitstore::domain::Phase;
use splitstore::ports::{Event, Observer};

use crate::{Ack, AckLog, Line, Stage};

/// Where lines go.
pub trait Says: Send + Sync {
    /// Says one.
    fn say(&self, line: &Line);
}

/// Hears the events of one store.
pub struct Watch {
    says: Arc<dyn Says>,
    log: Arc<AckLog>,
    state: AtomicU64,
    resumed: AtomicBool,
    closing: AtomicBool,
    broken: Mutex<Option<String>>,
}

/// A moment, as operations see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Compactions begun since the store was opened.
    pub(crate) run: u64,
    pub(crate) stage: Stage,
}

impl Moment {
    /// Whether the run of this moment owes the DAG of whatever it is asked for.
    pub(crate) fn owes(self) -> bool {
        matches!(self.stage, Stage::Loaded(phase) if (Phase::Mark..=Phase::Purge).contains(&phase))
    }
}

impl Watch {
    /// An observer that tells `says` of phases and the log of finished runs.
    pub fn new(says: Arc<dyn Says>, log: Arc<AckLog>) -> Self {
        Self {
            says,
            log,
            state: AtomicU64::new(0),
            resumed: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            broken: Mutex::default(),
        }
    }

    pub(crate) fn now(&self) -> Moment {
        let word = self.state.load(Ordering::SeqCst);
        let stage = usize::try_from(word & 0xff).ok().and_then(|index| Stage::ALL.get(index)).copied();
        Moment { run: word >> 8, stage: stage.unwrap_or(Stage::Opening) }
    }

    /// The stage changes; with a compaction's first phase a new run begins.
    pub(crate) fn enter(&self, stage: Stage) {
        let begins = u64::from(stage == Stage::Loaded(Phase::Prepare));
        let run = self.now().run + begins;
        self.state.store((run << 8) | stage.index() as u64, Ordering::SeqCst);
    }

    /// Whether open resumed a run.
    pub fn resumed(&self) -> bool {
        self.resumed.load(Ordering::SeqCst)
    }

    /// From now on a run that is stopped is no fault.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
    }

    /// Notes something that must not happen; the first one is kept.
    pub(crate) fn broke(&self, what: &str) {
        self.says.say(&Line::Broken(what.to_owned()));
        self.broken.lock().get_or_insert_with(|| what.to_owned());
    }

    fn finished(&self, index: u64) {
        self.enter(Stage::Loaded(Phase::Idle));
        self.says.say(&Line::Phase(Phase::Idle));
        if let Err(error) = self.log.append(Ack::Compacted(index)) {
            self.broke(&format!("{error:#}"));
        }
    }

    /// What went wrong first.
    pub fn broken(&self) -> Option<String> {
        self.broken.lock().clone()
    }
}

impl Observer for Watch {
    fn on_event(&self, event: &Event) {
        match event {
            Event::PhaseStarted(phase) => {
                self.enter(Stage::Loaded(*phase));
                self.says.say(&Line::Phase(*phase));
            }
            Event::Finished(report) => self.finished(report.index),
            Event::FinishedEarlier { index, .. } => self.finished(*index),
            Event::Failed(phase, reason) if !self.closing.load(Ordering::SeqCst) => {
                self.broke(&format!("compaction failed in {phase}: {reason}"));
            }
            Event::Resumed => self.resumed.store(true, Ordering::SeqCst),
            _ => {}
        }
    }
}
