//! The rows: which two values each compares, and what it must hold.

use super::goal::Goal;
use super::samples::Of;

/// A row to be.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) name: &'static str,
    pub(crate) ours: Of,
    pub(crate) against: Option<Of>,
    /// What the other value is.
    pub(crate) reference: &'static str,
    pub(crate) unit: Unit,
    pub(crate) goal: Goal,
}

/// What values are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Micros,
    Nanos,
    Millis,
    BytesPerBlock,
    Rate,
    Count,
}

impl Unit {
    /// What a number alone is counted in.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Micros => "us",
            Self::Nanos => "ns",
            Self::Millis => "ms",
            Self::BytesPerBlock => "bytes a block",
            Self::Rate => "blocks a second",
            Self::Count => "count",
        }
    }
}

const NAIVE: &str = "naive walk, 2 walkers";
const NAIVE_1: &str = "naive walk, 1 walker";
const CAT: &str = "read of the same files";
const NAIVE_WARM: Of = Of("naive-compact", "mark");
const NAIVE_COLD: Of = Of("naive-2-cold", "seconds");

/// A time against a time.
const fn time(name: &'static str, ours: Of, against: Of, reference: &'static str, goal: Goal) -> Work {
    Work { name, ours, against: Some(against), reference, unit: Unit::Seconds, goal }
}

/// A value that stands for itself.
const fn alone(name: &'static str, ours: Of, unit: Unit, most: f64) -> Work {
    Work { name, ours, against: None, reference: "-", unit, goal: Goal::Limit(most) }
}

const fn seconds(probe: &'static str) -> Of {
    Of(probe, "seconds")
}

use Goal::{AtLeast, AtMost, AtMostMeasured, Faster, None as NoGoal};

/// All rows, in the order of the table.
#[rustfmt::skip]
pub(crate) const WORKS: &[Work] = &[
    time("mark with link index, warm", seconds("links-warm"), NAIVE_WARM, NAIVE, Faster(40.0)),
    time("mark with link index, cold", seconds("links-cold"), NAIVE_COLD, NAIVE, Faster(40.0)),
    time("mark with link index, one naive walker", seconds("links-warm"), seconds("naive-1"), NAIVE_1, NoGoal),
    time("mark by scan, warm", seconds("scan-warm"), NAIVE_WARM, NAIVE, Faster(8.0)),
    time("mark by scan, cold", seconds("scan-cold"), NAIVE_COLD, NAIVE, Faster(12.0)),
    time("mark by scan, one naive walker", seconds("scan-warm"), seconds("naive-1"), NAIVE_1, NoGoal),
    time("mark by walk, warm", seconds("walk-warm"), NAIVE_WARM, NAIVE, Faster(2.5)),
    time("mark by walk, cold", seconds("walk-cold"), NAIVE_COLD, NAIVE, NoGoal),
    time("mark by scan against reading, warm", seconds("scan-warm"), seconds("files-warm"), CAT, AtMost(8.0)),
    time("mark by scan against reading, cold", seconds("scan-cold"), seconds("files-cold"), CAT, AtMost(2.5)),
    alone("collect", Of("compact", "collect"), Unit::Seconds, 0.2),
    time("transfer", Of("compact", "transfer"), Of("naive-compact", "transfer"), "get per block, redb in random order", Faster(2.5)),
    time("collect and transfer", Of("compact", "move"), Of("naive-compact", "move"), "both of the naive", NoGoal),
    time("purge with space back", Of("compact", "purge"), Of("naive-compact", "purge"), "deletes, settle, full compaction", Faster(2.5)),
    alone("tombstones left", Of("compact", "tombstones"), Unit::Count, 0.0),
    time("hot after a compaction", Of("compact", "hot"), Of("naive-compact", "hot"), "naive: bytes of hot", AtMost(1.1)).counted(),
    time("whole compaction, by scan", Of("compact", "whole"), Of("naive-compact", "whole"), "naive compaction", Faster(8.0)),
    time("whole compaction, by link index", Of("compact-links", "whole"), Of("naive-compact", "whole"), "naive compaction", Faster(8.0)),
    alone("peak memory, link index", Of("links-memory", "peak"), Unit::BytesPerBlock, 64.0),
    alone("peak memory, scan", Of("scan-memory", "peak"), Unit::BytesPerBlock, 40.0),
    rate("rate of scan at 5x the blocks", Of("scan-warm", "rate"), Of("scan-fifth", "rate"), AtLeast(0.7)),
    rate("rate of link index at 5x the blocks", Of("links-warm", "rate"), Of("links-fifth", "rate"), AtLeast(0.7)),
    Work { unit: Unit::Nanos, ..time("idle get", Of("hits", "store"), Of("hits", "engine"), "RocksDB `get`", AtMostMeasured(Of("hits", "allowed"))) },
    Work { unit: Unit::Micros, ..time("get p99 while compacting", Of("latency", "p99"), Of("latency", "idle_p99"), "idle", AtMost(2.0)) },
    Work { unit: Unit::Micros, ..time("get p99 while compacting, beside a busy thread", Of("latency", "p99"), Of("latency", "busy_p99"), "a thread that hashes", NoGoal) },
    alone("worst stall of a get", Of("latency", "worst"), Unit::Millis, 50.0),
    Work { goal: NoGoal, ..alone("worst stall of a get, less what the host took", Of("latency", "apart_worst"), Unit::Millis, 0.0) },
    alone("step of a paced purge, longest", Of("waits", "longest"), Unit::Millis, 5e3),
    alone("close in a paced purge", Of("waits", "close"), Unit::Millis, 5e3),
    time("put with link index", seconds("put-links"), seconds("put-plain"), "without", AtMost(1.15)),
    Work { unit: Unit::Nanos, ..time("get_many of 256, per block", Of("get-many", "many"), Of("get-many", "each"), "a loop of `get`", Faster(1.0)) },
    time("mark by walk, chain 10 times as long", seconds("length-middle"), seconds("length-short"), "short chain, equal windows", AtMost(1.5)),
    time("mark by walk, chain 100 times as long", seconds("length-long"), seconds("length-short"), "short chain, equal windows", AtMost(1.5)),
];

const fn rate(name: &'static str, ours: Of, against: Of, goal: Goal) -> Work {
    Work { name, ours, against: Some(against), reference: "1x", unit: Unit::Rate, goal }
}

impl Work {
    const fn counted(self) -> Self {
        Self { unit: Unit::Count, ..self }
    }

    /// The values that it is made of.
    pub(crate) fn values(&self) -> impl Iterator<Item = Of> + use<> {
        [Some(self.ours), self.against, self.goal.measured()].into_iter().flatten()
    }

    /// The probes that it is measured by.
    pub(crate) fn probes(&self) -> impl Iterator<Item = &'static str> {
        self.values().map(|of| of.0)
    }

    /// Whether it is measured by this probe.
    pub(crate) fn needs(&self, probe: &str) -> bool {
        self.probes().any(|needed| needed == probe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn works_have_names_of_their_own() {
        let names: std::collections::BTreeSet<_> = WORKS.iter().map(|work| work.name).collect();
        assert_eq!(names.len(), WORKS.len());
    }
}
