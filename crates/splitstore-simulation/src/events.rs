//! Hears what the store tells, so that a crash has a place and what happened is counted.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use splitstore_domain::Phase;
use splitstore_ports::{Event, Observer};

use crate::wire::Wire;

/// The observer of a seed.
pub(crate) struct Events {
    wire: Wire,
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    sealed: bool,
    resumed: u64,
    seals: u64,
    counts: BTreeMap<String, u64>,
}

impl Events {
    pub(crate) fn new(wire: &Wire) -> Self {
        Self { wire: wire.clone(), heard: Mutex::default() }
    }

    /// Whether a filter may be on.
    pub(crate) fn is_sealed(&self) -> bool {
        self.heard.lock().sealed
    }

    pub(crate) fn unseal(&self) {
        self.heard.lock().sealed = false;
    }

    /// Purges that began so far.
    pub(crate) fn seals(&self) -> u64 {
        self.heard.lock().seals
    }

    /// Failures that were told so far.
    pub(crate) fn failures(&self) -> u64 {
        let counts = &self.heard.lock().counts;
        counts.iter().filter(|(name, _)| name.starts_with("failed in ")).map(|(_, count)| count).sum()
    }

    /// Sealed runs that were found and finished so far.
    pub(crate) fn resumed(&self) -> u64 {
        self.heard.lock().resumed
    }

    /// What was heard, by name.
    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        self.heard.lock().counts.clone()
    }
}

impl Observer for Events {
    fn on_event(&self, event: &Event) {
        let mut heard = self.heard.lock();
        let name = match event {
            Event::PhaseStarted(phase) => {
                self.wire.set_place(phase.name());
                match phase {
                    Phase::Prepare => heard.sealed = false,
                    Phase::Purge => {
                        heard.sealed = true;
                        heard.seals += 1;
                    }
                    _ => {}
                }
                return;
            }
            Event::Finished(report) => {
                heard.sealed = false;
                let spared = if report.spared > 0 { "heard: a purge spared blocks" } else { return };
                spared.into()
            }
            Event::Resumed => {
                heard.resumed += 1;
                "heard: resumed".into()
            }
            Event::LongView { .. } => "heard: a view that lasts".into(),
            Event::MissingReferences(_) => "heard: references are missing".into(),
            Event::Failed(phase, _) => format!("failed in {phase}"),
            _ => return,
        };
        *heard.counts.entry(name).or_default() += 1;
    }
}
