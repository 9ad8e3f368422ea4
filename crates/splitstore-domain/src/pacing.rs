//! How far a run stands back for those who use the store meanwhile. Pure arithmetic: the caller brings time and counts.
//!
//! ```text
//!   run     |#work#|...rest...|#work#|..rest..|#work#|      share = work / (work + rest)
//!   reads     w  w    r  r  r    w      r  r     w          w while it works, r while it rests
//!   window  |<--------- 200 ms --------->| are w much slower than r? the share shrinks by a third, else it grows
//!   bytes   a bucket, filled at the limit, emptied by what a step has read and written
//! ```
//! **Reads and writes are compared apart**: one is not the other's like. Whichever suffers more is yielded to.
//!
//! **What is compared** is one node under one load at one moment, with and without the run's work. So no idle baseline
//! is needed, and a node that is slow for other reasons does not slow its run down: its reads are as slow in the rests.
//!
//! **It finishes.** The share never falls below [`PaceLimits::least_percent`]: W seconds of work take at most
//! 100 / least times W (ten times, by default) and bytes / limit, whatever the latencies. It never grows above
//! [`PaceLimits::MOST_PERCENT`] either: without rests there would be nothing to compare with.
//!
//! `segment-compaction` has a bucket, too: it waits before a write, on a clock of its own, and may not know this crate.
//! A step of a run knows its bytes only when it is done, so this one goes into debt instead.

mod bucket;
mod latencies;

use std::num::NonZeroU64;
use std::time::Duration;

use bucket::Bucket;
pub use latencies::Latencies;

/// How a run treats those who use the store meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pacing {
    /// It takes what it can get: nobody else is there.
    Fast,
    /// It rests between its steps, the longer the more it slows reads down.
    Paced(PaceLimits),
}

impl Default for Pacing {
    fn default() -> Self {
        Self::Paced(PaceLimits::default())
    }
}

/// Between what bounds a paced run moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaceLimits {
    least_percent: u8,
    bytes_per_second: Option<NonZeroU64>,
}

impl Default for PaceLimits {
    fn default() -> Self {
        Self { least_percent: 10, bytes_per_second: None }
    }
}

impl PaceLimits {
    /// Of its time a paced run works this much at most, so that there are rests to compare with.
    pub const MOST_PERCENT: u8 = 90;

    /// A run that works at least this much of its time, in percent; at least 1, at most [`Self::MOST_PERCENT`].
    #[must_use]
    pub fn at_least_percent(self, percent: u8) -> Self {
        Self { least_percent: percent.clamp(1, Self::MOST_PERCENT), ..self }
    }

    /// A run that reads and writes no more bytes a second than this on average; `None` sets no limit.
    #[must_use]
    pub const fn bytes_per_second(self, limit: Option<NonZeroU64>) -> Self {
        Self { bytes_per_second: limit, ..self }
    }

    /// The least share of its time that a run works, in percent.
    pub const fn least_percent(self) -> u8 {
        self.least_percent
    }
}

/// Length of a window.
const WINDOW: Duration = Duration::from_millis(200);
/// Who reads less than a verdict needs in so many windows hardly reads.
const WINDOWS_MOST: u32 = 25;
/// Reads of a kind that a verdict needs.
const ENOUGH: u32 = 8;
/// The reads that count, in thousandths: one in twenty may be slower.
const QUANTILE: u32 = 950;
/// A read while the run works may take so many times as long as one while it rests.
const SLOWER: u32 = 2;
/// Reads below this are fast, whatever others are.
const FAST_READ: Duration = Duration::from_micros(25);
/// Where a run begins.
const FIRST_SHARE: f64 = 0.5;
const GROWS_BY: f64 = 0.05;
const SHRINKS_TO: f64 = 2.0 / 3.0;
/// Shorter rests are put off: a sleeper wakes late.
const LEAST_REST: Duration = Duration::from_millis(2);
/// No more rest than this is owed for work done, but for that of the last step.
const MOST_OWED: Duration = Duration::from_secs(1);

/// How long operations of one kind took, by what the run did meanwhile.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    /// Those that met the run at work.
    pub working: Latencies,
    /// Those that did not.
    pub resting: Latencies,
}

/// What one step took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Worked {
    /// Its time.
    pub time: Duration,
    /// What it read and wrote.
    pub bytes: u64,
}

/// The present pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PaceNow {
    /// Of its time the run may work so much, in percent; 100 is without rests.
    pub percent: u8,
    /// Bytes a second that it may read and write on average.
    pub bytes_per_second: Option<NonZeroU64>,
    /// How long it has rested so far.
    pub rested: Duration,
}

/// Paces one run.
#[derive(Debug, Clone)]
pub struct Pacer {
    pacing: Pacing,
    share: f64,
    bucket: Option<Bucket>,
    /// Rest for work done that is still to come.
    owed: Duration,
    /// When the last step ended.
    ended: Duration,
    window_ends: Duration,
    /// Windows since the last verdict.
    windows: u32,
    rested: Duration,
}

impl Pacer {
    /// For a run that begins now.
    pub fn new(pacing: Pacing, now: Duration) -> Self {
        let (share, bucket) = match pacing {
            Pacing::Fast => (1.0, None),
            Pacing::Paced(limits) => {
                (FIRST_SHARE.max(least(limits)), limits.bytes_per_second.map(|limit| Bucket::new(limit, now)))
            }
        };
        let window_ends = now.saturating_add(WINDOW);
        let (owed, rested) = (Duration::ZERO, Duration::ZERO);
        Self { pacing, share, bucket, owed, ended: now, window_ends, windows: 0, rested }
    }

    /// A step ends now: how long to rest before the next; zero is not at all. A rest that was cut short, or lasted
    /// longer for whatever reason, is made up for later.
    pub fn after(&mut self, step: Worked, now: Duration) -> Duration {
        let Pacing::Paced(_) = self.pacing else { return Duration::ZERO };
        let rested = now.saturating_sub(step.time).saturating_sub(self.ended);
        self.rested = self.rested.saturating_add(rested);
        let earned = step.time.mul_f64((1.0 - self.share) / self.share);
        self.owed = self.owed.saturating_sub(rested).saturating_add(earned).min(earned.max(MOST_OWED));
        self.ended = now;
        let debt = self.bucket.as_mut().map_or(Duration::ZERO, |bucket| bucket.take(step.bytes, now));
        let rest = self.owed.max(debt);
        if rest < LEAST_REST { Duration::ZERO } else { rest }
    }

    /// Takes in how each kind of operation fared, once a window. What has served is forgotten.
    pub fn adapt(&mut self, heard: &mut [Heard], now: Duration) {
        let Pacing::Paced(limits) = self.pacing else { return };
        if now < self.window_ends {
            return;
        }
        self.window_ends = now.saturating_add(WINDOW);
        self.windows += 1;
        // The sternest counts.
        let verdict = heard.iter().map(|kind| verdict(kind, self.windows)).max();
        let share = match verdict.unwrap_or(Verdict::Harmless) {
            Verdict::Harmless => self.share + GROWS_BY,
            Verdict::Slows => self.share * SHRINKS_TO,
            Verdict::Unknown => return,
        };
        self.share = share.clamp(least(limits), f64::from(PaceLimits::MOST_PERCENT) / 100.0);
        self.windows = 0;
        for kind in heard {
            kind.working = Latencies::default();
            kind.resting.fade();
        }
    }

    /// The present pace.
    pub fn now(&self) -> PaceNow {
        let bytes_per_second = match self.pacing {
            Pacing::Fast => None,
            Pacing::Paced(limits) => limits.bytes_per_second,
        };
        // A share is between 0 and 1.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
        let percent = (self.share * 100.0).round() as u8;
        PaceNow { percent, bytes_per_second, rested: self.rested }
    }
}

fn least(limits: PaceLimits) -> f64 {
    f64::from(limits.least_percent) / 100.0
}

/// From mild to stern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// Nobody is there, or nobody is slower.
    Harmless,
    /// Too little was heard yet.
    Unknown,
    Slows,
}

fn verdict(heard: &Heard, windows: u32) -> Verdict {
    let (working, resting) = (heard.working.count(), heard.resting.count());
    if working == 0 || (working < ENOUGH && windows >= WINDOWS_MOST) {
        return Verdict::Harmless;
    }
    if working < ENOUGH || resting < ENOUGH {
        return Verdict::Unknown;
    }
    let (working, resting) = (heard.working.quantile(QUANTILE), heard.resting.quantile(QUANTILE));
    if working > resting.max(FAST_READ).saturating_mul(SLOWER) { Verdict::Slows } else { Verdict::Harmless }
}
