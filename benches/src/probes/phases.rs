//! Hears how long the phases of a run take, and looks at the process when one ends.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use splitstore_domain::Phase;
use splitstore_ports::{Event, Observer};

use crate::process;

/// A phase that has ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended {
    pub(crate) phase: Phase,
    pub(crate) took: Duration,
    /// The most memory so far.
    pub(crate) peak: u64,
    /// Bytes from the disk so far.
    pub(crate) from_disk: u64,
    /// What all threads have computed so far.
    pub(crate) computed: Duration,
}

/// Phases in the order in which they ended.
#[derive(Debug, Default)]
pub(crate) struct Phases(Mutex<Vec<Ended>>);

impl Observer for Phases {
    fn on_event(&self, event: &Event) {
        let Event::PhaseFinished(report) = event else { return };
        // A count that cannot be had shows as zero, and a row of zeros is noticed.
        let ended = Ended {
            phase: report.phase,
            took: report.duration,
            peak: process::peak().unwrap_or_default(),
            from_disk: process::disk_read().unwrap_or_default(),
            computed: process::cpu().unwrap_or_default(),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(ended);
    }
}

impl Phases {
    /// The last time that this phase ended.
    pub(crate) fn last(&self, phase: Phase) -> Result<Ended> {
        let ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = ended.iter().rev().find(|ended| ended.phase == phase);
        found.copied().with_context(|| format!("{phase} was not reported"))
    }
}
