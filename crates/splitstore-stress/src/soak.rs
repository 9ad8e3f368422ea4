//! The same load for long, in this process and without kills: laws checked every so often, latency measured.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use splitstore::ports::Clock;
use splitstore::system::SystemClock;

use crate::life::Load;
use crate::load::{Effort, Forks, Place, Session};
use crate::{Disk, Latencies, Life, Line, Says};

/// The longest a store is kept: its chain is held in memory.
const LONGEST_LIFE: Duration = Duration::from_secs(300);

/// What to do.
#[derive(Debug, Clone)]
pub struct Orders {
    /// How long all stores together are loaded.
    pub length: Duration,
    /// Seed of stores and chains.
    pub seed: u64,
    /// Who keeps a tipset that was reverted.
    pub forks: Forks,
}

/// What it came to.
#[derive(Debug, Clone, Default)]
pub struct Soaked {
    /// By operation and phase.
    pub latencies: Latencies,
    /// Stores.
    pub lives: u64,
    /// Compactions that finished.
    pub compactions: u64,
    /// Checks of all laws.
    pub checks: u64,
    /// Blocks that they compared.
    pub blocks: u64,
    /// Tipsets on all chains.
    pub tipsets: u64,
}

/// Only the child's parent wants lines; here a fault comes back as an error.
struct Silence;

impl Says for Silence {
    fn say(&self, _line: &Line) {}
}

/// Does it: one store after the other, until the time is up; at least one of each cold policy.
pub fn run(orders: &Orders) -> Result<Soaked> {
    let clock = SystemClock::new();
    let length = (orders.length / 3).min(LONGEST_LIFE);
    let mut soaked = Soaked::default();
    while soaked.lives < 3 || clock.elapsed() + length / 2 < orders.length {
        let life = Life::new(orders.seed, soaked.lives, Load::Soak);
        println!("{life}");
        live(life, (length, orders.forks), &mut soaked)
            .with_context(|| format!("seed {}, {life}", orders.seed))?;
        let Soaked { lives, compactions, checks, tipsets, .. } = &soaked;
        let seconds = clock.elapsed().as_secs();
        println!(
            "{lives} stores in {seconds} s: {tipsets} tipsets, {compactions} compactions, {checks} checks, clean"
        );
    }
    Ok(soaked)
}

fn live(life: Life, how: (Duration, Forks), soaked: &mut Soaked) -> Result<()> {
    let (length, forks) = how;
    let folder = tempfile::Builder::new().prefix("splitstore-soak-").tempdir()?;
    let (store, log) = (folder.path().join("store"), folder.path().join("acks"));
    let place = Place { store: &store, log: &log, disk: Disk::Real };
    let mut session = Session::open(&place, life, Arc::new(Silence))?;
    let empty = session.check()?;
    let check_every = Some((length / 4).clamp(Duration::from_secs(2), Duration::from_secs(30)));
    let effort = Effort { readers: 2, length: Some(length), check_every, forks, writeback: None };
    let loaded = session.load(&empty, &effort)?;
    let last = session.check()?;
    soaked.latencies.merge(&loaded.latencies);
    soaked.lives += 1;
    soaked.compactions += last.compactions;
    soaked.checks += loaded.checks + 1;
    soaked.blocks += loaded.checked + last.blocks;
    soaked.tipsets += last.head.map_or(0, |head| head + 1);
    session.close()
}
