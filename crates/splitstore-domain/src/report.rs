//! What a compaction did: counts, bytes and durations per phase.

use std::fmt;
use std::time::Duration;

use crate::{ByteCount, CompactionPlan, MarkReport, Phase, PurgeChoice, Shortfall};

/// One line of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PhaseReport {
    /// The phase.
    pub phase: Phase,
    /// Objects it handled: walked, scanned, copied or deleted.
    pub objects: u64,
    /// Bytes of those objects that it read or wrote; for commit, bytes on disk that it gave back.
    pub bytes: ByteCount,
    /// How long it took.
    pub duration: Duration,
}

impl PhaseReport {
    /// Objects per second; 0 when it took no measurable time.
    pub fn rate(&self) -> f64 {
        let seconds = self.duration.as_secs_f64();
        if seconds > 0.0 { self.objects as f64 / seconds } else { 0.0 }
    }
}

/// Sizes on disk of both tiers; `None` where a tier cannot tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TierSizes {
    /// Bytes of the hot tier.
    pub hot: Option<ByteCount>,
    /// Bytes of the cold tier.
    pub cold: Option<ByteCount>,
}

/// A finished compaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactionReport {
    /// The how manieth finished compaction of this store, from 1.
    pub index: u64,
    /// What was decided.
    pub plan: CompactionPlan,
    /// What was done, in order.
    pub phases: Vec<PhaseReport>,
    /// Candidates that were referenced after all, and stayed.
    pub spared: u64,
    /// How it found out what is live.
    pub marking: MarkReport,
    /// How candidates left hot, and why so; `None` if there were none.
    pub purge: Option<PurgeChoice>,
    /// What a rewrite of hot left to deletes.
    pub shortfall: Shortfall,
    /// Sizes on disk when it began.
    pub before: TierSizes,
    /// Sizes on disk when it ended, space given back.
    pub after: TierSizes,
}

impl CompactionReport {
    /// From the first phase to the last.
    pub fn duration(&self) -> Duration {
        self.phases.iter().map(|phase| phase.duration).sum()
    }
}

/// A phase shorter than this has no rate worth a line.
const MEASURABLE: Duration = Duration::from_millis(1);

impl fmt::Display for CompactionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "compaction {}", self.index)?;
        writeln!(f, "{}", self.plan)?;
        writeln!(f, "{:<9} {:>12} {:>12} {:>12} {:>9}", "phase", "objects", "bytes", "objects/s", "time")?;
        for line in &self.phases {
            let PhaseReport { phase, objects, bytes, duration } = line;
            let rate = if *duration < MEASURABLE { "-".to_owned() } else { format!("{:.0}", line.rate()) };
            writeln!(f, "{phase:<9} {objects:>12} {bytes:>12} {rate:>12} {:>8.3}s", duration.as_secs_f64())?;
        }
        writeln!(f, "spared    {:>12}", self.spared)?;
        writeln!(f, "marked by {}", self.marking)?;
        if let Some(purge) = &self.purge {
            writeln!(f, "purge     by {purge}")?;
        }
        if !self.shortfall.is_none() {
            writeln!(f, "          {}", self.shortfall)?;
        }
        write_size(f, "hot", self.before.hot, self.after.hot)?;
        writeln!(f)?;
        write_size(f, "cold", self.before.cold, self.after.cold)
    }
}

fn write_size(
    f: &mut fmt::Formatter<'_>,
    tier: &str,
    before: Option<ByteCount>,
    after: Option<ByteCount>,
) -> fmt::Result {
    match (before, after) {
        (Some(before), Some(after)) => write!(f, "{tier:<9} {before:>12} -> {after}"),
        _ => write!(f, "{tier:<9} {:>12}", "unknown"),
    }
}
