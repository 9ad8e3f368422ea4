//! Time, and what all threads computed in it: on a crowded machine the latter says more.

use std::time::Duration;

use anyhow::Result;
use splitstore_files::SystemClock;
use splitstore_ports::Clock;

use crate::compare::Gauges;
use crate::process;

/// A meter that runs.
pub(crate) struct Meter<'a> {
    clock: &'a SystemClock,
    began: Spent,
}

/// What something took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spent {
    pub(crate) time: Duration,
    /// Of all threads.
    pub(crate) cpu: Duration,
}

impl<'a> Meter<'a> {
    /// Begins to count.
    pub(crate) fn start(clock: &'a SystemClock) -> Result<Self> {
        Ok(Self { clock, began: Spent { time: clock.elapsed(), cpu: process::cpu()? } })
    }

    /// What was spent since.
    pub(crate) fn read(&self) -> Result<Spent> {
        let time = self.clock.elapsed().saturating_sub(self.began.time);
        Ok(Spent { time, cpu: process::cpu()?.saturating_sub(self.began.cpu) })
    }
}

impl Spent {
    /// Both together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self { time: self.time + other.time, cpu: self.cpu + other.cpu }
    }

    /// Adds both in seconds, under these names.
    pub(crate) fn tell(self, gauges: &mut Gauges, [time, cpu]: [&'static str; 2]) {
        gauges.push((time, self.time.as_secs_f64()));
        gauges.push((cpu, self.cpu.as_secs_f64()));
    }
}
