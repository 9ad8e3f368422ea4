//! `stress`: kills or soaks real stores. See the library for what and why.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Args, Parser, Subcommand};
use splitstore_stress::child::{self, Task, Then};
use splitstore_stress::crash::{self, End};
use splitstore_stress::rot::{BLOCKS, Tier, Victim};
use splitstore_stress::{Disk, Forks, Op, figures, soak};

/// Real stores under load: killed at any moment and checked, or run for long and measured.
#[derive(Parser)]
#[command(version)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Kill a process that loads and compacts a store, open it again, and check that nothing is lost.
    Crash(Kills),
    /// The same on disks that forget what was not synced: each kill is a power cut, and only what a flush covered
    /// that had returned must be there.
    Powercut(Kills),
    /// Load and compact stores for a while; check laws, measure latency.
    Soak {
        /// How long.
        #[arg(long, default_value_t = 1)]
        minutes: u64,
        /// Source of all choices but the machine's own timing.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Revert tipsets for a while without protecting them: the store keeps what is younger than finality.
        #[arg(long)]
        trust_forks: bool,
    },
    /// Measure reads and writes at full speed beside a compaction of a large store.
    Figures {
        /// Height of its chain; with as many actors as there are by default, 3000 make 1.2 million blocks.
        #[arg(long, default_value_t = 3000)]
        epochs: u64,
        /// Actors in its state.
        #[arg(long, default_value_t = 20_000)]
        actors: u64,
        /// Length of each segment without a compaction.
        #[arg(long, default_value_t = 15)]
        seconds: u64,
        /// Source of the chain and of what is read.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Flip one bit of a tier's files at a time and read every block: what is served, what is damaged.
    Rot {
        /// How many flips in each tier.
        #[arg(long, default_value_t = 100)]
        flips: u64,
        /// Source of all choices.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// The process that `crash` and `powercut` kill.
    #[command(hide = true)]
    Child(Orders),
}

#[derive(Args)]
struct Kills {
    /// How many kills.
    #[arg(long, default_value_t = 10)]
    runs: u64,
    /// Source of all choices but the machine's own timing.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Revert tipsets for a while without protecting them: the store keeps what is younger than finality.
    #[arg(long)]
    trust_forks: bool,
}

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "switches of the command line become enums in `run`")]
struct Orders {
    /// The store.
    #[arg(long)]
    store: PathBuf,
    /// The acknowledgement log.
    #[arg(long)]
    log: PathBuf,
    /// As given to `crash`.
    #[arg(long)]
    seed: u64,
    /// Which of the seed's stores.
    #[arg(long)]
    life: u64,
    /// Check and end.
    #[arg(long)]
    check_only: bool,
    /// Load beside a purge that open resumes.
    #[arg(long)]
    at_once: bool,
    /// As given to `crash`.
    #[arg(long)]
    trust_forks: bool,
    /// Forget what was not synced, with the choices of this seed.
    #[arg(long)]
    forgetful: Option<u64>,
}

fn main() -> ExitCode {
    match run(Line::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stress: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Crash(kills) => kill(&kills, End::Kill),
        Command::Powercut(kills) => kill(&kills, End::PowerCut),
        Command::Soak { minutes, seed, trust_forks } => soak(minutes, seed, forks(trust_forks)),
        Command::Figures { epochs, actors, seconds, seed } => {
            let each = Duration::from_secs(seconds);
            let folder = tempfile::Builder::new().prefix("splitstore-figures-").tempdir()?;
            let table = figures::run(folder.path(), &figures::Orders { epochs, actors, each, seed })?;
            println!("\n{table}");
            Ok(())
        }
        Command::Rot { flips, seed } => rot(flips, seed),
        Command::Child(Orders { store, log, seed, life, check_only, at_once, trust_forks, forgetful }) => {
            let then = match (check_only, at_once) {
                (true, _) => Then::Stop,
                (false, true) => Then::LoadAtOnce,
                (false, false) => Then::Load,
            };
            let disk = forgetful.map_or(Disk::Real, Disk::Forgetful);
            child::run(&Task { store, log, seed, life, then, forks: forks(trust_forks), disk })
        }
    }
}

fn kill(&Kills { runs, seed, trust_forks }: &Kills, end: End) -> Result<()> {
    println!("seed {seed}");
    let program = std::env::current_exe().context("find this program")?;
    let tally = crash::run(&crash::Orders { runs, seed, forks: forks(trust_forks), end, program })?;
    println!("\n{tally}");
    Ok(())
}

fn soak(minutes: u64, seed: u64, forks: Forks) -> Result<()> {
    ensure!(minutes > 0, "soak for one minute at least");
    println!("seed {seed}");
    let length = Duration::from_secs(minutes.saturating_mul(60));
    let soaked = soak::run(&soak::Orders { length, seed, forks })?;
    println!("\n{}", soaked.latencies);
    let worst = |op| soaked.latencies.worst(op).as_secs_f64() * 1000.0;
    println!();
    for op in Op::ALL {
        println!("worst stall of {:<10} {:>9.1} ms", op.name(), worst(op));
    }
    println!("{} blocks compared in {} checks, nothing lost", soaked.blocks, soaked.checks);
    Ok(())
}

fn rot(flips: u64, seed: u64) -> Result<()> {
    println!("seed {seed}");
    let folder = tempfile::tempdir()?;
    let mut victim = Victim::new(folder.path(), seed)?;
    for tier in [Tier::Hot, Tier::Cold] {
        let rot = victim.rot(tier, flips)?;
        println!(
            "{tier:?}, {BLOCKS} of its blocks and {BLOCKS} of the other tier's read after each flip\n{rot}"
        );
        ensure!(rot.wrong == 0, "wrong bytes were served");
    }
    Ok(())
}

#[expect(clippy::fn_params_excessive_bools, reason = "a switch of the command line becomes an enum here")]
fn forks(trusted: bool) -> Forks {
    if trusted { Forks::Trusted } else { Forks::Guarded }
}
