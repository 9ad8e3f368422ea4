//! `sim`: many seeds, or one of them told in full.

use std::process::ExitCode;

use clap::Parser;
use splitstore_simulation::{Coverage, Known, Manner, Outcome, Telling, simulate};

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
    /// Looks past a known finding; may be given more than once.
    #[arg(long)]
    known: Vec<Known>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let first = args.seed.unwrap_or(1);
    if args.verbose || (args.seed.is_some() && args.seeds == 1) {
        return told(&simulate(first, &Manner { telling: Telling::Verbose, known: args.known, lie: None }));
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

fn many(first: u64, args: &Args) -> ExitCode {
    let mut coverage = Coverage::default();
    let mut findings = 0;
    let manner = Manner { telling: Telling::Quiet, known: args.known.clone(), lie: None };
    for seed in first..first + args.seeds {
        let outcome = simulate(seed, &manner);
        coverage.add(&outcome.coverage);
        if let Some(finding) = outcome.finding {
            findings += 1;
            println!("seed {seed} fails; replay it with --seed {seed} --verbose\n{finding}\n");
            if findings >= args.findings {
                break;
            }
        }
    }
    print!("{coverage}");
    let missed = if args.seeds >= 1000 && findings == 0 { coverage.missed() } else { Vec::new() };
    for point in &missed {
        println!("never hit: {point}");
    }
    if findings == 0 && missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
