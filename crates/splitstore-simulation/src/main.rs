//! `sim`: many seeds, or one of them told in full.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use parking_lot::Mutex;
use splitstore_simulation::{Coverage, Manner, Outcome, Telling, simulate};

/// From so many seeds on, every point must have been hit.
const ENOUGH: u64 = 5000;

/// Runs the orchestrator under seeded schedules and judges it after every step.
#[derive(Debug, Parser)]
struct Args {
    /// How many seeds.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first seed, or with `--verbose` the only one.
    #[arg(long)]
    seed: Option<u64>,
    /// Prints every action of the seed.
    #[arg(long)]
    verbose: bool,
    /// Findings to print before it stops.
    #[arg(long, default_value_t = 1)]
    findings: usize,
    /// Seeds at the same time.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let first = args.seed.unwrap_or(1);
    if args.verbose || (args.seed.is_some() && args.seeds == 1) {
        return told(&simulate(first, &Manner { telling: Telling::Verbose, lie: None }));
    }
    many(first, &args)
}

fn told(outcome: &Outcome) -> ExitCode {
    println!("trace {:016x}", outcome.trace_hash);
    match &outcome.finding {
        None => ExitCode::SUCCESS,
        Some(finding) => {
            println!("seed {}: {}", outcome.seed, finding.broken);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "how fast it is, for people; no seed sees it")]
fn many(first: u64, args: &Args) -> ExitCode {
    let began = Instant::now();
    let found = Mutex::new(Found::default());
    let next = AtomicU64::new(first);
    std::thread::scope(|scope| {
        for _ in 0..args.threads.max(1) {
            scope.spawn(|| {
                while found.lock().findings < args.findings {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + args.seeds {
                        break;
                    }
                    let outcome = simulate(seed, &Manner::default());
                    found.lock().add(outcome);
                }
            });
        }
    });
    let Found { coverage, findings, lived } = found.into_inner();
    print!("{coverage}");
    println!("{lived} seeds, {:.0} in a second", lived as f64 / began.elapsed().as_secs_f64());
    let missed = if args.seeds >= ENOUGH && findings == 0 { coverage.missed() } else { Vec::new() };
    for point in &missed {
        println!("never hit: {point}");
    }
    if findings == 0 && missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What all seeds came to.
#[derive(Default)]
struct Found {
    coverage: Coverage,
    findings: usize,
    lived: u64,
}

impl Found {
    fn add(&mut self, outcome: Outcome) {
        self.coverage.add(&outcome.coverage);
        self.lived += 1;
        if let Some(finding) = outcome.finding {
            self.findings += 1;
            let seed = outcome.seed;
            println!("seed {seed} fails; replay it with --seed {seed} --verbose\n{finding}\n");
        }
    }
}
