//! Ways of marking beside a naive walk, in one process on one chain.
//!
//! ```text
//!   store    a generated chain, all blocks in hot, in settled tables; nothing below changes it
//!   round    naive 1 | naive 2 | walk | scan | files    each once, in an order that turns
//!   row      median seconds, live blocks a second, times the naive walk, peak memory per block of hot
//! ```
//! Ours are dry runs: the `mark` phase as the run itself reports it. A run marks with as many threads as there are
//! processors. Every way must find the same number of live blocks, or the bench fails.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cid::Cid;
use splitstore_domain::{CompactionPlan, Epoch, Phase, Policy, Settings, Window};
use splitstore_fixtures::{ChainSpec, generate};
use splitstore_orchestrator::MarkStrategy;
use splitstore_ports::{Block, BlockWrite, Event, HotStore, Interrupt, Observer, ReclaimMode};
use tempfile::TempDir;

use crate::compose::{self, hot_path};
use crate::pair::timed;

mod naive;
mod process;

use naive::Naive;

/// Blocks in one put.
const BATCH: usize = 1024;

/// What is measured, on a chain of its own.
pub struct Marking {
    folder: TempDir,
    settings: Settings,
    head: Vec<Cid>,
    blocks: u64,
    bytes: u64,
    clock: splitstore_files::SystemClock,
}

/// One way of marking, and how it fared in each round.
#[derive(Debug, Clone)]
pub struct Row {
    /// What was done.
    pub work: &'static str,
    /// How long it took.
    pub times: Vec<Duration>,
    /// What all threads computed in that time.
    pub computed: Vec<Duration>,
    /// Blocks that it found live; bytes for the files.
    pub items: u64,
    /// Memory at its peak, beyond what there was before.
    pub peak: u64,
}

impl Row {
    /// The median time.
    pub fn time(&self) -> Duration {
        median(&self.times)
    }

    /// The median of what all threads computed: of a crowded machine it says more than the time.
    pub fn cpu(&self) -> Duration {
        median(&self.computed)
    }
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// How long something took, and what all threads computed meanwhile.
#[derive(Clone, Copy)]
struct Took {
    time: Duration,
    computed: Duration,
}

/// Hears how long phases take.
#[derive(Default)]
struct Phases {
    began: Mutex<Duration>,
    ended: Mutex<Vec<(Phase, Took)>>,
}

impl Observer for Phases {
    fn on_event(&self, event: &Event) {
        let now = process::cpu().unwrap_or_default();
        match event {
            Event::PhaseStarted(_) => *locked(&self.began) = now,
            Event::PhaseFinished(report) => {
                let computed = now.saturating_sub(*locked(&self.began));
                locked(&self.ended).push((report.phase, Took { time: report.duration, computed }));
            }
            _ => {}
        }
    }
}

impl Phases {
    fn took(&self, phase: Phase) -> Result<Took> {
        let ended = locked(&self.ended);
        let found = ended.iter().rev().find(|(ended, _)| *ended == phase);
        Ok(found.with_context(|| format!("{phase} was not reported"))?.1)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Marking {
    /// Makes the store in `parent`.
    pub fn new(parent: &Path, spec: &ChainSpec) -> Result<Self> {
        std::fs::create_dir_all(parent)?;
        let folder = tempfile::Builder::new().prefix("splitstore-marking-").tempdir_in(parent)?;
        // The newest two fifths of the epochs stay hot.
        let settings = Settings { finality_epochs: spec.epochs / 10, ..Settings::default() };
        let composed = compose::open(folder.path(), settings)?;
        let mut batch: Vec<(Cid, Vec<u8>)> = Vec::new();
        let put = |batch: &mut Vec<(Cid, Vec<u8>)>| {
            let blocks: Vec<Block<'_>> = batch.iter().map(|(cid, data)| Block { cid: *cid, data }).collect();
            let written = composed.store.put_many(&blocks);
            batch.clear();
            written.map_err(std::io::Error::other)
        };
        let made = generate(spec, &mut |cid: &Cid, data: &[u8]| {
            batch.push((*cid, data.to_vec()));
            if batch.len() == BATCH { put(&mut batch) } else { Ok(()) }
        })?;
        put(&mut batch)?;
        let hot = composed.hot.maintenance().context("rocksdb can reclaim")?;
        hot.reclaim(ReclaimMode::Full, &Interrupt::new())?;
        composed.store.close()?;
        drop(composed);
        let clock = splitstore_files::SystemClock::new();
        let mut marking = Self { folder, settings, head: made.head, blocks: 0, bytes: 0, clock };
        let plan = marking.ours(MarkStrategy::Walk)?.2;
        let all = [plan.keep, plan.transfer, plan.drop];
        marking.blocks = all.iter().map(|tally| tally.blocks).sum();
        marking.bytes = all.iter().map(|tally| tally.bytes.0).sum();
        Ok(marking)
    }

    /// So many rounds of everything.
    pub fn rows(&self, rounds: usize) -> Result<Vec<Row>> {
        let names =
            ["naive walk, 1 walker", "naive walk, 2 walkers", "walk", "scan", "read of the same files"];
        let row = |work| Row { work, times: Vec::new(), computed: Vec::new(), items: 0, peak: 0 };
        let mut rows = names.map(row);
        let mut live = None;
        for round in 0..rounds {
            for turn in 0..rows.len() {
                let at = (round + turn) % rows.len();
                process::forget_peak()?;
                let before = process::now()?;
                let (time, computed, items) = match at {
                    0 | 1 => self.naive(at + 1)?,
                    2 => self.marked(MarkStrategy::Walk)?,
                    3 => self.marked(MarkStrategy::Scan)?,
                    _ => self.files()?,
                };
                if at < 4 {
                    let live = *live.get_or_insert(items);
                    ensure!(items == live, "{} finds {items} live blocks, others {live}", rows[at].work);
                }
                rows[at].times.push(time);
                rows[at].computed.push(computed);
                rows[at].items = items;
                rows[at].peak = rows[at].peak.max(process::peak()?.saturating_sub(before));
                eprintln!("{}: {items} in {:.3} s", rows[at].work, time.as_secs_f64());
            }
        }
        Ok(rows.into())
    }

    /// The rows as markdown.
    pub fn markdown(&self, rows: &[Row]) -> Result<String> {
        let mut text = String::new();
        writeln!(text, "{} blocks, {} bytes of data, all in hot.\n", self.blocks, self.bytes)?;
        writeln!(
            text,
            "| work | s | live/s | times naive 1 | times naive 2 | CPU s | peak B per block of hot |"
        )?;
        writeln!(text, "|---|---:|---:|---:|---:|---:|---:|")?;
        let against = |at: usize| rows.get(at).map_or(f64::NAN, |row| row.time().as_secs_f64());
        for row in rows {
            let seconds = row.time().as_secs_f64();
            let (one, two) = (against(0) / seconds, against(1) / seconds);
            let (rate, peak) = (row.items as f64 / seconds / 1e3, row.peak as f64 / self.blocks as f64);
            let (work, cpu) = (row.work, row.cpu().as_secs_f64());
            write!(text, "| {work} | {seconds:.3} | {rate:.0} k | {one:.1} | {two:.1} ")?;
            writeln!(text, "| {cpu:.2} | {peak:.0} |")?;
        }
        Ok(text)
    }

    fn marked(&self, strategy: MarkStrategy) -> Result<(Duration, Duration, u64)> {
        let (mark, collect, plan) = self.ours(strategy)?;
        eprintln!(
            "  then collect in {:.3} s, {:.2} s of CPU",
            collect.time.as_secs_f64(),
            collect.computed.as_secs_f64()
        );
        Ok((mark.time, mark.computed, plan.keep.blocks))
    }

    fn ours(&self, strategy: MarkStrategy) -> Result<(Took, Took, CompactionPlan)> {
        let phases = Arc::new(Phases::default());
        let composed = compose::open_as(self.folder.path(), self.settings, strategy, phases.clone())?;
        composed.start(&self.head)?;
        let plan = composed.store.plan()?;
        Ok((phases.took(Phase::Mark)?, phases.took(Phase::Collect)?, plan))
    }

    fn naive(&self, walkers: usize) -> Result<(Duration, Duration, u64)> {
        let naive = Naive::open(&hot_path(self.folder.path()))?;
        let policy = Policy::new(self.settings)?;
        let window = |height| Window::at(height, Epoch::GENESIS, &policy);
        self.measured(|| naive.mark(&self.head, walkers, &window, &policy))
    }

    fn files(&self) -> Result<(Duration, Duration, u64)> {
        let folder = hot_path(self.folder.path());
        self.measured(|| {
            let mut bytes = 0;
            for entry in std::fs::read_dir(&folder)? {
                let path = entry?.path();
                if path.extension().is_some_and(|extension| extension == "sst") {
                    bytes += std::io::copy(&mut std::fs::File::open(&path)?, &mut std::io::sink())?;
                }
            }
            Ok(bytes)
        })
    }

    fn measured(&self, work: impl FnOnce() -> Result<u64>) -> Result<(Duration, Duration, u64)> {
        let before = process::cpu()?;
        let (time, items) = timed(&self.clock, work)?;
        Ok((time, process::cpu()?.saturating_sub(before), items))
    }
}
