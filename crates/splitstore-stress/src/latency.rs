//! How long operations take, by kind and by the stage of the store they fall into.
//!
//! An operation that ends in another stage than it began in counts for the one that is no idling: a stall at a
//! phase's edge is that phase's fault.

use std::fmt;
use std::time::Duration;

use splitstore::domain::Phase;

use crate::{Histogram, Stage};

/// A kind of operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// A reader's copy of one live block.
    Get,
    /// A reader's look at one live block, without a copy.
    View,
    /// The machine's put of one or five blocks.
    Put,
    /// The node's put of 16 blocks.
    Batch,
    /// No operation of the store: a reader hashes a block in memory. What it stalls is the machine's doing.
    Control,
}

impl Op {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Get, Self::View, Self::Put, Self::Batch, Self::Control];

    /// The words for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::View => "view",
            Self::Put => "put",
            Self::Batch => "put of 16",
            Self::Control => "control",
        }
    }
}

/// Histograms of every kind in every stage.
#[derive(Debug, Clone)]
pub struct Latencies(Vec<Histogram>);

impl Default for Latencies {
    fn default() -> Self {
        Self(vec![Histogram::default(); Op::ALL.len() * Stage::ALL.len()])
    }
}

impl Latencies {
    /// Counts one operation that began and ended in these stages.
    pub fn record(&mut self, op: Op, stages: (Stage, Stage), took: Duration) {
        let (began, ended) = stages;
        let stage = if ended == Stage::Loaded(Phase::Idle) { began } else { ended };
        if let Some(histogram) = self.0.get_mut(place(op, stage)) {
            histogram.record(took);
        }
    }

    /// Adds all that `other` counted.
    pub fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, other)| mine.merge(other));
    }

    /// One histogram.
    pub fn of(&self, op: Op, stage: Stage) -> &Histogram {
        &self.0[place(op, stage)]
    }

    /// The longest of one kind under load, whatever the phase.
    pub fn worst(&self, op: Op) -> Duration {
        let loaded = Stage::ALL.iter().filter(|stage| matches!(stage, Stage::Loaded(_)));
        loaded.map(|stage| self.of(op, *stage).max()).max().unwrap_or_default()
    }
}

fn place(op: Op, stage: Stage) -> usize {
    op as usize * Stage::ALL.len() + stage.index()
}

impl fmt::Display for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<10} {:<9} {:>11} {:>10} {:>10} {:>10} {:>10} {:>12}",
            "operation", "phase", "count", "p50", "p99", "p99.9", "max", "p99.9/idle"
        )?;
        for op in Op::ALL {
            let idle = self.of(op, Stage::Loaded(Phase::Idle)).per_mille(999);
            let loaded = Stage::ALL.iter().filter(|stage| matches!(stage, Stage::Loaded(_)));
            for (stage, histogram) in loaded.map(|stage| (stage, self.of(op, *stage))) {
                if histogram.total() > 0 {
                    writeln!(f)?;
                    write_row(f, (op, *stage), histogram, idle)?;
                }
            }
        }
        Ok(())
    }
}

fn write_row(
    f: &mut fmt::Formatter<'_>,
    of: (Op, Stage),
    histogram: &Histogram,
    idle: Duration,
) -> fmt::Result {
    let (op, stage) = of;
    let [p50, p99, p999] = [500, 990, 999].map(|share| histogram.per_mille(share));
    write!(
        f,
        "{:<10} {stage:<9} {:>11} {:>10} {:>10} {:>10} {:>10} ",
        op.name(),
        histogram.total(),
        micros(p50),
        micros(p99),
        micros(p999),
        micros(histogram.max())
    )?;
    if idle.is_zero() {
        return write!(f, "{:>12}", "-");
    }
    write!(f, "{:>12.2}", p999.as_secs_f64() / idle.as_secs_f64())
}

fn micros(time: Duration) -> String {
    format!("{:.1} us", time.as_secs_f64() * 1e6)
}
