//! The process that is killed: opens the store, checks what the last kill left, and loads it until it dies.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use splitstore::ports::Clock;
use splitstore::system::SystemClock;

use crate::life::Load;
use crate::line::Resumed;
use crate::load::{Effort, Forks, Place, Session};
use crate::{Disk, Life, Line, Says, Stage, Verdict};

/// Readers beside the node and the machine: more would leave the compaction no processor.
const READERS: u64 = 1;

/// What a child is to do.
#[derive(Debug, Clone)]
pub struct Task {
    /// The store.
    pub store: PathBuf,
    /// The acknowledgement log.
    pub log: PathBuf,
    /// Seed of all lives.
    pub seed: u64,
    /// Which life.
    pub life: u64,
    /// What follows the check.
    pub then: Then,
    /// Who keeps a tipset that was reverted.
    pub forks: Forks,
    /// The disk below the store.
    pub disk: Disk,
}

/// What follows the check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Load, until killed.
    Load,
    /// The same; if open has resumed a purge, the load comes instead of the check, beside it.
    LoadAtOnce,
    /// Close and end.
    Stop,
}

/// Standard output, a line at a time. A parent that is gone ends the child.
pub struct Pipe;

impl Says for Pipe {
    fn say(&self, line: &Line) {
        let mut out = std::io::stdout().lock();
        if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
            std::process::exit(2);
        }
    }
}

/// Does it; whatever goes wrong is said on standard output, too.
pub fn run(task: &Task) -> Result<()> {
    work(task).inspect_err(|error| Pipe.say(&Line::Broken(format!("{error:#}"))))
}

fn work(task: &Task) -> Result<()> {
    let life = Life::new(task.seed, task.life, Load::Crash);
    Pipe.say(&Line::Opening);
    let clock = SystemClock::new();
    let place = Place { store: &task.store, log: &task.log, disk: task.disk };
    let mut session = Session::open(&place, life, Arc::new(Pipe))?;
    let resumed = if session.watch.resumed() { Resumed::Yes } else { Resumed::No };
    Pipe.say(&Line::Opened { took: clock.elapsed(), resumed });
    if task.then == Then::LoadAtOnce && resumed == Resumed::Yes {
        let verdict = session.glance()?;
        Pipe.say(&Line::Ready);
        return load(task, &mut session, &verdict);
    }
    let verdict = session.check()?;
    let tipsets = verdict.head.map_or(0, |head| head + 1);
    Pipe.say(&Line::Checked { blocks: verdict.blocks, live: verdict.live, tipsets });
    if task.then == Then::Stop {
        return session.close();
    }
    Pipe.say(&Line::Ready);
    load(task, &mut session, &verdict)
}

fn load(task: &Task, session: &mut Session, verdict: &Verdict) -> Result<()> {
    if let Stage::Loaded(phase) = session.watch.now().stage {
        // Of a purge that goes on; who hears of it knows by now that there is load beside it.
        Pipe.say(&Line::Phase(phase));
    }
    let effort = Effort {
        readers: READERS,
        length: None,
        check_every: None,
        forks: task.forks,
        writeback: task.disk.writeback(),
    };
    session.load(verdict, &effort).map(drop)
}
