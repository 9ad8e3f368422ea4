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

/// Whether a run is at its own phases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Whose {
    #[default]
    Own,
    /// At the rest of an earlier run.
    Earlier,
}

#[derive(Default)]
struct Heard {
    sealed: bool,
    /// The phase that began last.
    phase: Phase,
    /// Whose purge or commit it is.
    whose: Whose,
    resumed: u64,
    seals: u64,
    distrusted: Option<String>,
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

    /// Why a link index was set aside, if one was.
    pub(crate) fn distrusted(&self) -> Option<String> {
        self.heard.lock().distrusted.clone()
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
                heard.begins(*phase);
                self.wire.set_place(name_of(*phase, heard.whose));
                return;
            }
            Event::Finished(report) => {
                heard.sealed = false;
                *heard.counts.entry(format!("heard: marked by {}", report.marking.by)).or_default() += 1;
                if let Some(purge) = &report.purge {
                    *heard.counts.entry(format!("heard: purged by {:?}", purge.way)).or_default() += 1;
                }
                let spared = if report.spared > 0 { "heard: a purge spared blocks" } else { return };
                spared.into()
            }
            Event::Resumed => {
                heard.resumed += 1;
                heard.sealed = true;
                "heard: resumed".into()
            }
            Event::FinishedEarlier { .. } => {
                heard.sealed = false;
                "heard: an earlier run is finished".into()
            }
            Event::RewriteFellShort(shortfall) if shortfall.passed_over > 0 => {
                "heard: a rewrite passed over blocks".into()
            }
            Event::RewriteFellShort(_) => "heard: no room to go on rewriting".into(),
            Event::LongView { .. } => "heard: a view that lasts".into(),
            Event::MissingReferences(_) => "heard: references are missing".into(),
            Event::LinkIndexSetAside { reason, .. } => {
                heard.distrusted.get_or_insert_with(|| reason.clone());
                "heard: a link index was set aside".into()
            }
            Event::Failed(phase, _) => format!("failed in {phase}"),
            _ => return,
        };
        *heard.counts.entry(name).or_default() += 1;
    }
}

impl Heard {
    fn begins(&mut self, phase: Phase) {
        match phase {
            Phase::Prepare => {
                self.sealed = false;
                self.whose = Whose::Own;
            }
            Phase::Purge => {
                self.sealed = true;
                if self.phase == Phase::Seal {
                    self.whose = Whose::Own;
                    self.seals += 1;
                } else {
                    self.whose = Whose::Earlier;
                }
            }
            _ => {}
        }
        self.phase = phase;
    }
}

/// The name of a phase, of whosever run it is.
pub(crate) const fn name_of(phase: Phase, whose: Whose) -> &'static str {
    match (phase, whose) {
        (Phase::Idle, _) => Phase::Prepare.name(),
        (Phase::Purge, Whose::Earlier) => "resumed purge",
        (Phase::Commit, Whose::Earlier) => "resumed commit",
        (phase, _) => phase.name(),
    }
}
