//! Hears how long the phases of a run take, and looks at the process when one ends.

use std::sync::{Mutex, MutexGuard, PoisonError};
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
    /// Bytes of blocks that it read.
    pub(crate) bytes: u64,
    /// The most memory until then.
    pub(crate) peak: u64,
    /// Bytes that came from the disk in it.
    pub(crate) from_disk: u64,
    /// What all threads computed in it.
    pub(crate) computed: Duration,
}

/// Phases in the order in which they ended.
#[derive(Debug, Default)]
pub(crate) struct Phases(Mutex<Heard>);

#[derive(Debug, Default)]
struct Heard {
    began: (Duration, u64),
    ended: Vec<Ended>,
}

impl Observer for Phases {
    fn on_event(&self, event: &Event) {
        // A count that cannot be had shows as zero, and a row of zeros is noticed.
        let now = (process::cpu().unwrap_or_default(), process::disk_read().unwrap_or_default());
        let mut heard = self.heard();
        match event {
            Event::PhaseStarted(_) => heard.began = now,
            Event::PhaseFinished(report) => {
                let ended = Ended {
                    phase: report.phase,
                    took: report.duration,
                    bytes: report.bytes.0,
                    peak: process::peak().unwrap_or_default(),
                    from_disk: now.1.saturating_sub(heard.began.1),
                    computed: now.0.saturating_sub(heard.began.0),
                };
                heard.ended.push(ended);
            }
            _ => {}
        }
    }
}

impl Phases {
    /// The last time that this phase ended.
    pub(crate) fn last(&self, phase: Phase) -> Result<Ended> {
        let heard = self.heard();
        let found = heard.ended.iter().rev().find(|ended| ended.phase == phase);
        found.copied().with_context(|| format!("{phase} was not reported"))
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
