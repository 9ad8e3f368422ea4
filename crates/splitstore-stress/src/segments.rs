//! Latencies by segment of one run, as a table: as the caller sees them, and without the time for which the thread
//! had no processor although it could have run. The latter is what locks, disks and the store's own work cost,
//! whoever else uses the machine. Who gave the whole machine away, the host, shows in the
//! list of the longest waits.

use std::fmt;
use std::time::Duration;

use splitstore::domain::Phase;
use splitstore::ports::Clock;
use splitstore::system::SystemClock;

use crate::queue::Queue;
use crate::{Histogram, Op, Steal, Wait, Waits};

/// A stretch of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment {
    /// Before anything is measured.
    Warming,
    /// No compaction.
    Idle,
    /// No compaction; another thread hashes at full speed.
    Busy,
    /// A phase of the compaction.
    Phase(Phase),
    /// After the compaction.
    IdleAgain,
    /// The end.
    Over,
}

impl Segment {
    const ALL: [Self; 12] = [
        Self::Warming,
        Self::Idle,
        Self::Busy,
        Self::Phase(Phase::Prepare),
        Self::Phase(Phase::Mark),
        Self::Phase(Phase::Collect),
        Self::Phase(Phase::Transfer),
        Self::Phase(Phase::Seal),
        Self::Phase(Phase::Purge),
        Self::Phase(Phase::Commit),
        Self::IdleAgain,
        Self::Over,
    ];

    /// The segments that are printed.
    fn measured() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|segment| !matches!(segment, Self::Warming | Self::Over))
    }

    /// Its place; segments follow one another.
    pub(crate) fn index(self) -> usize {
        Self::ALL.iter().position(|segment| *segment == self).unwrap_or_default()
    }

    /// The segment at a place.
    pub(crate) fn at(index: usize) -> Self {
        Self::ALL.get(index).copied().unwrap_or(Self::Over)
    }

    /// What an operation counts for that began and ended in these: a stall at the edge of a phase is the phase's.
    fn of(began: Self, ended: Self) -> Self {
        if matches!(ended, Self::IdleAgain | Self::Over) { began } else { ended }
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Warming => f.pad("warming"),
            Self::Idle => f.pad("idle"),
            Self::Busy => f.pad("busy"),
            Self::Phase(phase) => phase.fmt(f),
            Self::IdleAgain => f.pad("idle again"),
            Self::Over => f.pad("over"),
        }
    }
}

/// Histograms of every kind of operation in every segment, and the longest waits one by one.
#[derive(Debug, Clone)]
pub struct Table {
    times: Vec<Times>,
    waits: Waits,
    steal: Steal,
}

/// Latencies of one kind in one segment.
#[derive(Debug, Clone, Default)]
pub struct Times {
    /// As the caller sees them.
    pub seen: Histogram,
    /// Without waiting for a processor.
    pub own: Histogram,
}

impl Times {
    fn merge(&mut self, other: &Self) {
        self.seen.merge(&other.seen);
        self.own.merge(&other.own);
    }
}

const OPS: [Op; 3] = [Op::Get, Op::Put, Op::Control];

impl Default for Table {
    fn default() -> Self {
        let times = vec![Times::default(); Op::ALL.len() * Segment::ALL.len()];
        Self { times, waits: Waits::default(), steal: Steal::default() }
    }
}

impl Table {
    /// One kind in one segment.
    pub fn of(&self, op: Op, segment: Segment) -> &Times {
        &self.times[op as usize * Segment::ALL.len() + segment.index()]
    }

    /// All phases of the compaction together.
    pub fn compaction(&self, op: Op) -> Times {
        let mut all = Times::default();
        for phase in Phase::RUN {
            all.merge(self.of(op, Segment::Phase(phase)));
        }
        all
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.times.iter_mut().zip(&other.times).for_each(|(mine, other)| mine.merge(other));
        self.waits.merge(&other.waits);
    }

    /// Says of each long wait what the host took of it.
    pub(crate) fn blame(&mut self, steal: Steal) {
        self.waits.blame(&steal);
        self.steal = steal;
    }

    /// The longest of one kind beside the compaction if the host's share is taken from each.
    pub fn apart(&self, op: Op) -> Duration {
        self.waits.apart(op, self.compaction(op).seen.max())
    }
}

/// A thread's measurements.
pub(crate) struct Measured {
    clock: SystemClock,
    queue: Queue,
    pub(crate) table: Table,
}

impl Measured {
    pub(crate) fn new(clock: SystemClock) -> Self {
        Self { clock, queue: Queue::of_this_thread(), table: Table::default() }
    }

    /// Does `work` and counts how long it took.
    pub(crate) fn time<T>(&mut self, op: Op, now: impl Fn() -> Segment, work: impl FnOnce() -> T) -> T {
        let (began, waited) = (now(), self.queue.waited());
        let start = self.clock.elapsed();
        let done = work();
        let took = self.clock.elapsed().saturating_sub(start);
        let waited = self.queue.waited().saturating_sub(waited);
        let (segment, own) = (Segment::of(began, now()), took.saturating_sub(waited));
        let times = &mut self.table.times[op as usize * Segment::ALL.len() + segment.index()];
        times.seen.record(took);
        times.own.record(own);
        self.table.waits.record(Wait { op, segment, began: start, took, own, host: Duration::ZERO });
        done
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head =
            ["operation", "segment", "count", "p50 us", "p99 us", "p99.9 us", "max ms", "/ idle", "/ busy"];
        let own = ["own p99.9 us", "own max ms", "/ idle", "/ busy"];
        writeln!(f, "| {} | {} |", head.join(" | "), own.join(" | "))?;
        writeln!(f, "|---|---{}|", "|---:".repeat(head.len() + own.len() - 2))?;
        for op in OPS {
            let base = [Segment::Idle, Segment::Busy].map(|segment| self.of(op, segment));
            for segment in Segment::measured() {
                row(f, (op, &segment.to_string()), self.of(op, segment), base)?;
            }
            row(f, (op, "whole compaction"), &self.compaction(op), base)?;
        }
        let [get, put] = [Op::Get, Op::Put].map(|op| micros(self.apart(op)) / 1e3);
        writeln!(
            f,
            "\nlongest beside the compaction without what the host took: get {get:.1} ms, put {put:.1} ms"
        )?;
        writeln!(
            f,
            "the host took {:.2} s of all processors\n\n{}",
            self.steal.total().as_secs_f64(),
            self.waits
        )
    }
}

fn row(f: &mut fmt::Formatter<'_>, of: (Op, &str), times: &Times, base: [&Times; 2]) -> fmt::Result {
    if times.seen.total() == 0 {
        return Ok(());
    }
    let (op, segment) = of;
    let [p50, p99] = [500, 990].map(|share| micros(times.seen.per_mille(share)));
    write!(f, "| {} | {segment} | {} | {p50:.1} | {p99:.1} | ", op.name(), times.seen.total())?;
    tail(f, &times.seen, base.map(|times| &times.seen))?;
    tail(f, &times.own, base.map(|times| &times.own))?;
    writeln!(f)
}

/// The slowest one in a thousand, the slowest of all, and the former against two others.
fn tail(f: &mut fmt::Formatter<'_>, times: &Histogram, base: [&Histogram; 2]) -> fmt::Result {
    let slow = |times: &Histogram| micros(times.per_mille(999));
    let [idle, busy] = base.map(|base| slow(times) / slow(base).max(1e-3));
    write!(f, "{:.1} | {:.1} | {idle:.2} | {busy:.2} | ", slow(times), micros(times.max()) / 1000.0)
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
