//! One measurement: ours and raw, each once.

use std::time::Duration;

use anyhow::Result;
use splitstore_files::SystemClock;
use splitstore_ports::Clock;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The split store.
    Ours,
    /// The engine alone.
    Raw,
}

impl Side {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Raw => "raw",
        }
    }
}

/// How long both took for the same items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Blocks or keys.
    pub items: u64,
    /// What the split store took.
    pub ours: Duration,
    /// What the engine took.
    pub raw: Duration,
}

impl Pair {
    /// What one side took.
    pub const fn duration(&self, side: Side) -> Duration {
        match side {
            Side::Ours => self.ours,
            Side::Raw => self.raw,
        }
    }

    /// Items per second of one side.
    pub fn rate(&self, side: Side) -> f64 {
        self.items as f64 / self.duration(side).as_secs_f64()
    }

    /// Our rate in units of the engine's.
    pub fn ratio(&self) -> f64 {
        self.rate(Side::Ours) / self.rate(Side::Raw)
    }
}

/// Which of the two goes first: every other round it is the other one.
pub(crate) fn in_turns<A, B>(
    turn: usize,
    ours: impl FnOnce() -> Result<A>,
    raw: impl FnOnce() -> Result<B>,
) -> Result<(A, B)> {
    if turn.is_multiple_of(2) {
        let ours = ours()?;
        Ok((ours, raw()?))
    } else {
        let raw = raw()?;
        Ok((ours()?, raw))
    }
}

/// How long `work` takes, and what comes of it.
pub(crate) fn timed<T>(clock: &SystemClock, work: impl FnOnce() -> Result<T>) -> Result<(Duration, T)> {
    let start = clock.elapsed();
    let done = work()?;
    Ok((clock.elapsed().saturating_sub(start), done))
}
