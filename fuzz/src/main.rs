//! A seeded, in-process mutational fuzzer of the TSM parsers. See the README beside it for what and why.
//!
//! ```text
//!   corpus -> mutate -> run (watched, counted, panics caught) -> outcome new? joins the corpus
//!                                   '-> failure: minimise, write to artifacts/, exit 1
//! ```

mod args;
mod corpus;
mod dice;
mod minimise;
mod mutate;
mod run;
mod targets;
mod watch;

use std::collections::HashSet;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use args::Args;
use dice::Dice;
use run::{Failure, Verdict, run};
use targets::Target;
use watch::Watch;

/// Inputs are cut to this.
const INPUT_MAX: usize = 64 << 10;

fn main() -> ExitCode {
    run::silence_panics();
    match Args::parse(std::env::args().skip(1)).and_then(|args| all(&args)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("fuzz: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether no target failed.
fn all(args: &Args) -> Result<bool> {
    if let Some(path) = &args.replay {
        return replay(&args.targets, path);
    }
    let watch = Watch::start();
    let mut clean = true;
    for target in &args.targets {
        clean &= fuzz(target, args, &watch)?;
    }
    Ok(clean)
}

fn replay(targets: &[&'static Target], path: &Path) -> Result<bool> {
    let input = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    let mut clean = true;
    for target in targets {
        let verdict = run(target, &input);
        println!("{}: {verdict:?}", target.name);
        clean &= !matches!(verdict, Verdict::Failed(_));
    }
    Ok(clean)
}

fn fuzz(target: &'static Target, args: &Args, watch: &Watch) -> Result<bool> {
    let mut dice = Dice::new(args.seed, target.name);
    let mut corpus = corpus::seeds(target)?;
    let mut outcomes = HashSet::new();
    let (start, seeds) = (now(), corpus.len());
    let mut runs = 0_u64;
    loop {
        // All seeds first, as they are.
        let seed = usize::try_from(runs).ok().filter(|at| *at < seeds);
        let input = seed.map_or_else(|| mutate::mutated(&corpus, &mut dice), |at| corpus[at].clone());
        watch.begin(target.name, &input);
        let verdict = run(target, &input);
        watch.end();
        runs += 1;
        match verdict {
            Verdict::Failed(failure) => return report(target, args, &input, &failure).map(|()| false),
            Verdict::Passed(outcome) if outcomes.insert(outcome) && seed.is_none() => corpus.push(input),
            Verdict::Passed(_) => {}
        }
        if runs.is_multiple_of(64) && now() - start >= Duration::from_secs(args.seconds) {
            break;
        }
    }
    let (outcomes, found) = (outcomes.len(), corpus.len() - seeds);
    println!("{:<11} {runs:>9} runs, {seeds} seeds, {found} inputs added, {outcomes} outcomes", target.name);
    Ok(true)
}

fn report(target: &'static Target, args: &Args, input: &[u8], failure: &Failure) -> Result<()> {
    let small = minimise::minimised(target, input, failure);
    let path = watch::keep(target.name, &small)?;
    println!("{:<11} FAILED with seed {}: {failure}", target.name, args.seed);
    println!("            {} bytes, made smaller from {}: {}", small.len(), input.len(), path.display());
    Ok(())
}

fn now() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long to go on is asked of the machine, not of a store"
    )]
    Instant::now()
}
