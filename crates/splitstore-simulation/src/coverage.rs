//! What the seeds reached: crash points, faults, actions.

use std::collections::BTreeMap;
use std::fmt;

/// Counts by name.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    counts: BTreeMap<String, u64>,
}

/// Crash points: between two steps, and inside one at an effect.
const CRASHES: [&str; 43] = [
    "crash between: idle",
    "crash between: prepare",
    "crash between: mark",
    "crash between: collect",
    "crash between: transfer",
    "crash between: seal",
    "crash between: purge",
    "crash between: commit",
    "crash between: resumed purge",
    "crash between: resumed commit",
    "crash inside: prepare, files",
    "crash inside: mark, files",
    "crash inside: collect, files",
    "crash inside: transfer, cold",
    "crash inside: seal, files",
    "crash inside: seal, hot",
    "crash inside: purge, hot",
    "crash inside: purge, files",
    "crash inside: purge, rewrite",
    "crash inside: resumed purge, rewrite",
    "crash inside: commit, meta",
    "crash inside: commit, files",
    "crash inside: commit, hot",
    "crash inside: resumed purge, hot",
    "crash inside: resumed purge, files",
    "crash inside: resumed commit, files",
    "crash inside: open, files",
    "crash inside: open, meta",
    "crash inside: node, hot",
    "crash inside: node, cold",
    "crash inside: node, files",
    "crash keeps nothing",
    "crash keeps names",
    "crash keeps data",
    "crash keeps a torn tail",
    "crash keeps zeros for a tail",
    "crash keeps some",
    "open: resumed a sealed run",
    "recovery: once more",
    "recovery: cut short",
    "damage: candidates are cut",
    "damage: marks are cut",
    "crash after a sync that failed",
];

/// What can fail, and where a run can fail of it.
const ERRORS: [&str; 23] = [
    "fault: hot effect, no space left",
    "fault: hot effect, unavailable",
    "fault: hot read, unavailable",
    "fault: cold effect, no space left",
    "fault: cold effect, unavailable",
    "fault: cold read, unavailable",
    "fault: files effect, no space left",
    "fault: files effect, unavailable",
    "fault: files read, unavailable",
    "fault: meta effect, no space left",
    "fault: meta effect, unavailable",
    "fault: meta read, unavailable",
    "error: in prepare",
    "error: in mark",
    "error: in collect",
    "error: in transfer",
    "error: in seal",
    "error: in purge",
    "error: in commit",
    "error: in resumed purge",
    "error: no space for a transfer",
    "error: a reference is missing",
    "act: a protector fails",
];

/// What may start a run, keep it waiting, or end it.
const GATES: [&str; 51] = [
    "start: by head change",
    "start: by hand",
    "start: dry",
    "start: the rest of an earlier one",
    "start: busy",
    "gate: compact",
    "gate: below the threshold",
    "gate: held",
    "gate: behind",
    "gate: backing off",
    "gate: pressed",
    "gate: hovering ended a wait",
    "gate: a run waits for the node",
    "gate: paused in mark",
    "gate: paused in collect",
    "gate: paused in transfer",
    "gate: paused in seal",
    "gate: paused in purge",
    "gate: paused in commit",
    "gate: paused in resumed purge",
    "stop: asked to in prepare",
    "stop: asked to in mark",
    "stop: asked to in collect",
    "stop: asked to in transfer",
    "stop: asked to in seal",
    "stop: asked to in purge",
    "stop: asked to in resumed purge",
    "stop: held in prepare",
    "stop: held in mark",
    "stop: held in collect",
    "stop: held in transfer",
    "stop: held in seal",
    "act: cancel in purge",
    "act: cancel in commit",
    "act: cancel in resumed purge",
    "act: hold in purge",
    "act: hold in resumed purge",
    "act: hold in commit",
    "close in: idle",
    "close in: prepare",
    "close in: mark",
    "close in: collect",
    "close in: transfer",
    "close in: seal",
    "close in: purge",
    "close in: commit",
    "close in: resumed purge",
    "missing: awaited",
    "heard: references are missing",
    "heard: a view that lasts",
    "heard: a purge spared blocks",
];

/// What must have happened besides.
const ACTS: [&str; 48] = [
    "run: finished, cold universal",
    "run: finished, cold messages",
    "run: finished, cold discard",
    "run: finished, sets exact",
    "run: finished, sets disk",
    "run: finished, sets bloom, exact",
    "run: finished, sets roaring, exact",
    "run: finished, sets bloom, disk",
    "run: planned",
    "heard: marked by walk",
    "heard: marked by scan",
    "heard: marked by links",
    "heard: purged by Delete",
    "heard: purged by Rewrite",
    "heard: a rewrite passed over blocks",
    "rewrite: begins in purge",
    "rewrite: begins in resumed purge",
    "beside a rewrite: put",
    "beside a rewrite: ask and trust",
    "beside a rewrite: read",
    "beside a resumed rewrite: put",
    "beside a resumed rewrite: ask and trust",
    "beside a resumed rewrite: read",
    "run: rests",
    "act: reorg within finality",
    "act: reorg beyond finality",
    "act: write parents first",
    "act: leave what a transfer was for",
    "run: live blocks are copied",
    "policy: universal, then messages",
    "policy: messages, then discard",
    "policy: discard, then universal",
    "policy: universal, then discard",
    "act: write without asking",
    "act: build on an old subtree",
    "act: hold a reader",
    "act: go on without asking again",
    "act: protector",
    "act: drop a run",
    "heard: an earlier run is finished",
    "beside a resumed purge: put",
    "beside a resumed purge: put again",
    "beside a resumed purge: has",
    "beside a resumed purge: get",
    "beside a resumed purge: size",
    "beside a resumed purge: view",
    "beside a resumed purge: get_many",
    "beside a resumed purge: head change",
];

impl Coverage {
    pub(crate) fn count(&mut self, name: impl Into<String>) {
        *self.counts.entry(name.into()).or_default() += 1;
    }

    pub(crate) fn count_many(&mut self, counts: impl IntoIterator<Item = (String, u64)>) {
        for (name, count) in counts {
            *self.counts.entry(name).or_default() += count;
        }
    }

    /// Adds what another seed reached.
    pub fn add(&mut self, other: &Self) {
        for (name, count) in &other.counts {
            *self.counts.entry(name.clone()).or_default() += count;
        }
    }

    /// How often something happened.
    pub fn of(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or(0)
    }

    /// Every point that many seeds must reach.
    pub fn points() -> impl Iterator<Item = &'static str> {
        CRASHES.into_iter().chain(ERRORS).chain(GATES).chain(ACTS)
    }

    /// Points that were never reached.
    pub fn missed(&self) -> Vec<&'static str> {
        Self::points().filter(|point| self.of(point) == 0).collect()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, count) in &self.counts {
            writeln!(f, "{name:<44} {count:>10}")?;
        }
        Ok(())
    }
}
