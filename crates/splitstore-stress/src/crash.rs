//! The process that kills: a child per run, the same store until its life ends, then the next store.
//!
//! ```text
//!   per life     child .. kill | child .. kill | ..          up to 25 children
//!                last child checks, closes, ends             the folder is removed
//!   a failure    the folder stays; seed, life and run are printed
//! ```
//! Where each kill is a power cut, what own files still owed is settled before the next child opens the store.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use splitstore::domain::Phase;
use splitstore::ports::Clock;
use splitstore::system::SystemClock;
use tempfile::TempDir;

use crate::child::Then;
use crate::life::Load;
use crate::load::Forks;
use crate::{Dice, Disk, Kill, Life, Line, Plans, Stage, Tally, disk};

/// The most children that share a store.
const RUNS_PER_LIFE: u64 = 25;
/// How long a child may be silent about what it was asked for: it hangs.
const HANGS: Duration = Duration::from_secs(60);
/// How long to wait for a phase that does not come; then the kill falls where it falls.
const NO_SUCH_PHASE: Duration = Duration::from_secs(5);

/// What to do.
#[derive(Debug, Clone)]
pub struct Orders {
    /// Kills.
    pub runs: u64,
    /// Seed of stores, chains and plans.
    pub seed: u64,
    /// Who keeps a tipset that was reverted.
    pub forks: Forks,
    /// What a kill is.
    pub end: End,
    /// The program that has the command `child`; this one, usually.
    pub program: PathBuf,
}

/// What a kill is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The end of a process: what it wrote stays.
    Kill,
    /// The end of the machine's power: what it did not sync may be gone.
    PowerCut,
}

/// Does it, prints a line per ten runs, and gives the numbers.
pub fn run(orders: &Orders) -> Result<Tally> {
    let mut crash = Crash {
        orders,
        clock: SystemClock::new(),
        plans: Plans::new(orders.seed, orders.end),
        tally: Tally::default(),
        usual: [Duration::from_millis(2); 8],
    };
    let per_life = orders.runs.div_ceil(3).clamp(1, RUNS_PER_LIFE);
    let mut number = 0;
    while crash.tally.runs < orders.runs {
        let runs = per_life.min(orders.runs - crash.tally.runs);
        crash.life(number, runs)?;
        number += 1;
    }
    Ok(crash.tally)
}

struct Crash<'a> {
    orders: &'a Orders,
    clock: SystemClock,
    plans: Plans,
    tally: Tally,
    /// How long each phase takes, by its place in [`Phase`].
    usual: [Duration; 8],
}

impl Crash<'_> {
    fn life(&mut self, number: u64, runs: u64) -> Result<()> {
        let life = Life::new(self.orders.seed, number, Load::Crash);
        let folder = tempfile::Builder::new().prefix("splitstore-crash-").tempdir()?;
        println!("{life}");
        let lived = self.live(&life, folder.path(), runs);
        lived.map_err(|error| keep(folder, error)).with_context(|| {
            let Orders { seed, .. } = self.orders;
            format!("seed {seed}, {life}, run {}", self.tally.runs)
        })
    }

    fn live(&mut self, life: &Life, folder: &Path, runs: u64) -> Result<()> {
        for _ in 0..runs {
            let plan = self.plans.next(&self.tally);
            let stage = self.kill(life, folder, plan).with_context(|| format!("plan {plan:?}"))?;
            self.plans.hit(stage);
            self.tally.kill(stage);
            if self.tally.runs.is_multiple_of(10) {
                self.progress();
            }
        }
        let mut child = self.spawn(life, folder, Then::Stop)?;
        let ended = child.until_end(&self.clock, &mut self.tally);
        ended.context("check the store after its last kill")
    }

    fn progress(&self) {
        let Tally { runs, compactions, resumes, blocks, .. } = self.tally;
        let seconds = self.clock.elapsed().as_secs();
        println!(
            "{runs:>5} runs in {seconds} s: {compactions} compactions, {resumes} resumes, {blocks} blocks \
             verified, nothing lost"
        );
    }

    /// Spawns a child and kills it as planned; gives the stage it was in.
    fn kill(&mut self, life: &Life, folder: &Path, plan: Kill) -> Result<Stage> {
        let at_once = Dice::new(self.orders.seed, 1 << 33 | self.tally.runs).below(2) == 0;
        let mut child = self.spawn(life, folder, if at_once { Then::LoadAtOnce } else { Then::Load })?;
        let mut wait =
            Wait { clock: self.clock, tally: &mut self.tally, usual: &mut self.usual, began: None };
        match plan {
            Kill::Opening(delay) => {
                wait.line(&mut child, HANGS, |line| *line == Line::Opening)?;
                wait.pass(&mut child, delay)?;
            }
            Kill::Loaded(delay) => {
                wait.line(&mut child, HANGS, |line| *line == Line::Ready)?;
                wait.pass(&mut child, delay)?;
            }
            Kill::Phase { phase, pass, per_mille } => {
                wait.line(&mut child, HANGS, |line| *line == Line::Ready)?;
                let mut passes = pass + 1;
                let mut found = |line: &Line| {
                    passes -= u64::from(*line == Line::Phase(phase));
                    passes == 0
                };
                if wait.line(&mut child, NO_SUCH_PHASE, &mut found)? {
                    wait.pass(&mut child, wait.some_of(phase, per_mille))?;
                }
            }
            // Where there is none to resume, the kill falls into a check.
            Kill::Resumed(per_mille) => {
                wait.line(&mut child, HANGS, |line| matches!(line, Line::Opened { .. }))?;
                wait.pass(&mut child, wait.some_of(Phase::Purge, per_mille))?;
            }
        }
        let stage = child.kill(&mut wait)?;
        if self.orders.end == End::PowerCut {
            self.settle(folder)?;
        }
        Ok(stage)
    }

    fn spawn(&self, life: &Life, folder: &Path, then: Then) -> Result<Spawned> {
        let disk = match self.orders.end {
            End::Kill => Disk::Real,
            End::PowerCut => Disk::Forgetful(Dice::new(self.orders.seed, !self.tally.runs).word()),
        };
        Spawned::new(self.orders, life, folder, then, disk)
    }

    /// What a power cut takes back of own files.
    fn settle(&mut self, folder: &Path) -> Result<()> {
        let mut dice = Dice::new(self.orders.seed, 1 << 32 | self.tally.runs);
        let settled = splitstore_faultfs::settle(&disk::ledger(folder), &mut dice);
        self.tally.settled(&settled.context("settle what the power cut takes back")?);
        Ok(())
    }
}

/// The folder of a failure stays.
fn keep(folder: TempDir, error: anyhow::Error) -> anyhow::Error {
    error.context(format!("the store is kept in {}", folder.keep().display()))
}

/// A child and what it says.
struct Spawned {
    child: Child,
    lines: Receiver<Line>,
    stage: Stage,
}

impl Spawned {
    fn new(orders: &Orders, life: &Life, folder: &Path, then: Then, disk: Disk) -> Result<Self> {
        let mut command = Command::new(&orders.program);
        command.arg("child").arg("--store").arg(folder.join("store")).arg("--log").arg(folder.join("acks"));
        command.args(["--seed", &orders.seed.to_string(), "--life", &life.number.to_string()]);
        match then {
            Then::Load => {}
            Then::LoadAtOnce => {
                command.arg("--at-once");
            }
            Then::Stop => {
                command.arg("--check-only");
            }
        }
        if orders.forks == Forks::Trusted {
            command.arg("--trust-forks");
        }
        if let Disk::Forgetful(seed) = disk {
            command.args(["--forgetful", &seed.to_string()]);
        }
        let program = orders.program.display();
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.with_context(|| format!("start `{program} child`"))?;
        let pipe = child.stdout.take().context("the child has a pipe")?;
        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            let said = BufReader::new(pipe).lines().map_while(Result::ok);
            // The receiver goes when the run is over; nobody wants the rest then.
            let _ = said.filter_map(|line| Line::parse(&line)).try_for_each(|line| send.send(line));
        });
        Ok(Self { child, lines, stage: Stage::Opening })
    }

    /// Takes note of a line; an error if it is one that must not come.
    fn hear(&mut self, line: &Line, tally: &mut Tally) -> Result<()> {
        tally.hear(line);
        match line {
            Line::Opened { .. } => self.stage = Stage::Checking,
            Line::Ready => self.stage = Stage::Loaded(Phase::Idle),
            // A run that was resumed has phases, too, but no load beside it.
            Line::Phase(phase) if matches!(self.stage, Stage::Loaded(_)) => {
                self.stage = Stage::Loaded(*phase);
            }
            Line::Broken(what) => bail!("{what}"),
            Line::Opening | Line::Checked { .. } | Line::Phase(_) => {}
        }
        Ok(())
    }

    /// SIGKILL; then hears what it still had said, which tells the stage.
    fn kill(&mut self, wait: &mut Wait<'_>) -> Result<Stage> {
        self.child.kill().context("kill the child")?;
        self.child.wait().context("wait for the killed child")?;
        while let Ok(line) = self.lines.recv_timeout(HANGS) {
            self.hear(&line, wait.tally)?;
        }
        Ok(self.stage)
    }

    fn until_end(&mut self, clock: &SystemClock, tally: &mut Tally) -> Result<()> {
        let until = clock.elapsed() + HANGS;
        loop {
            match self.lines.recv_timeout(until.saturating_sub(clock.elapsed())) {
                Ok(line) => {
                    if let Line::Checked { tipsets, .. } = line {
                        tally.tipsets += tipsets;
                    }
                    self.hear(&line, tally)?;
                }
                Err(RecvTimeoutError::Timeout) => bail!("the child hangs in {}", self.stage),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let status = self.child.wait().context("wait for the child")?;
        ensure!(status.success(), "the child ended with {status}");
        Ok(())
    }
}

impl Drop for Spawned {
    /// No child outlives its run, whatever became of it.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waiting for a child while hearing it out.
struct Wait<'a> {
    clock: SystemClock,
    tally: &'a mut Tally,
    usual: &'a mut [Duration; 8],
    began: Option<(Phase, Duration)>,
}

impl Wait<'_> {
    /// Waits for a line; false if it does not come in time. An opening that does not come is a hang.
    fn line(
        &mut self,
        child: &mut Spawned,
        patience: Duration,
        mut wanted: impl FnMut(&Line) -> bool,
    ) -> Result<bool> {
        let until = self.clock.elapsed() + patience;
        while let Some(line) = self.next(child, until)? {
            if wanted(&line) {
                return Ok(true);
            }
        }
        ensure!(patience < HANGS, "the child hangs in {}", child.stage);
        Ok(false)
    }

    /// So many thousandths of the usual length of a phase.
    fn some_of(&self, phase: Phase, per_mille: u64) -> Duration {
        let usual = self.usual[phase as usize].as_nanos();
        let delay = usual * u128::from(per_mille) / 1000;
        Duration::from_nanos(u64::try_from(delay).unwrap_or(u64::MAX))
    }

    /// Lets time pass.
    fn pass(&mut self, child: &mut Spawned, time: Duration) -> Result<()> {
        let until = self.clock.elapsed() + time;
        while self.next(child, until)?.is_some() {}
        Ok(())
    }

    fn next(&mut self, child: &mut Spawned, until: Duration) -> Result<Option<Line>> {
        match child.lines.recv_timeout(until.saturating_sub(self.clock.elapsed())) {
            Ok(line) => {
                child.hear(&line, self.tally)?;
                self.learn(&line);
                Ok(Some(line))
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => {
                let status = child.child.wait().context("wait for the child")?;
                Err(anyhow!("the child ended by itself in {}: {status}", child.stage))
            }
        }
    }

    /// The usual length of a phase leans towards its last one.
    fn learn(&mut self, line: &Line) {
        let Line::Phase(phase) = line else { return };
        let now = self.clock.elapsed();
        if let Some((last, began)) = self.began.replace((*phase, now)) {
            let usual = &mut self.usual[last as usize];
            *usual = (*usual * 3 + now.saturating_sub(began)) / 4;
        }
    }
}
