//! `cargo xtask`: everything one does with this workspace, one command each.
//!
//! ```text
//!   test  ci  demo  bench  crash  powercut  soak     fixtures  tidy
//!     \   |    |    |      /       /        /          |        |
//!      native set-up                                   |        |     libclang, librocksdb.a: once per machine
//!          \                                           |        |
//!           cargo (echoed, locked) <-------------------+     reads the sources
//! ```

mod args;
mod bench;
mod ci;
mod demo;
mod fixtures;
mod fuzz;
mod mutants;
mod native;
mod process;
mod sim;
mod stress;
mod test;
mod tidy;
mod workspace;

use anyhow::Result;
use args::Command;
use std::process::ExitCode;
use workspace::Workspace;

const HELP: &str = "\
cargo xtask COMMAND: the work on the split store, from a clean checkout

First steps
  demo [FILE] [--hot rocksdb|fjall] [ARGS]   watch a compaction on a made-up chain, or on FILE (.car, .car.zst)
                                             ARGS: --epochs N --actors N --churn PER_MILLE --seed N and more of the
                                             made-up chain; --keep DIR keeps the store
  run -- ARGS                                `splitstore ARGS`, release build, with the RocksDB that is cached
  test --quick                               tests of all that needs no C++: a few minutes from nothing

Every day
  test [--quick] [-- ARGS]                   all tests; ARGS go to the test binaries (a name filter, for one)
  tidy                                       layers, file and function sizes, manners: seconds
  ci                                         what the server runs: all of these, and a little of what is below

Now and then
  bench [--small] [-- ARGS]                  criterion benches; ARGS go to criterion
  bench --hits | --instructions              what the store adds to a hit: paired chunks, or counted by valgrind
  bench --compare [--small] [--json] [--only WORK] [--rounds N] [--from LOG]
                                             against the algorithm of the original and the physical limit, one table:
                                             20 minutes and 12 GB; --small: a few minutes and 1 GB
  sim [--seeds N] [--seed S] [--verbose]     the orchestrator under seeded schedules, faults and crashes; replay one
  crash --runs N [--seed S]                  kill -9 a process that loads and compacts a store, N times; check
  powercut --runs N [--seed S]               the same, and each kill takes what was not synced along: a power cut
  fuzz [--smoke] [--seconds N] [TARGET ..]   mutated inputs for the TSM parsers, 30 s a target; fuzz/README.md
  figures [--epochs N] [--seconds N]         latency beside a compaction of a large store, phase by phase
  rot [--flips N] [--seed S]                 flip one bit of a tier's files at a time, read every block
  soak --minutes N                           load and compact without kills: laws, and latency per phase
  mutants [--only NAME | --rotate K [--seed S]]
                                             plant known bugs in a copy, one at a time; a tool must notice each
  fixtures [--epochs N] [--actors N] [--seed N] OUT
                                             write a seeded chain to OUT
  native                                     only the set-up below

RocksDB is C++ and takes 8 to 25 minutes on two cores, once per machine: the archive is kept in
SPLITSTORE_CACHE (else XDG_CACHE_HOME/splitstore, else HOME/.cache/splitstore). No patience?
`demo --hot fjall` and `test --quick` are pure Rust. Builds go to CARGO_TARGET_DIR, else to the same cache.
";

fn main() -> ExitCode {
    match args::parse(std::env::args().skip(1)).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    if command == Command::Help {
        print!("{HELP}");
        return Ok(());
    }
    let workspace = Workspace::locate()?;
    match command {
        Command::Help => Ok(()),
        Command::Test { scope, rest } => test::run(&workspace, scope, &rest),
        Command::Ci => ci::run(&workspace),
        Command::Tidy => tidy::run(&workspace),
        Command::Demo { hot, rest } => demo::run(&workspace, hot, &rest),
        Command::Run { rest } => demo::tool(&workspace, &rest),
        Command::Bench { what, rest } => bench::run(&workspace, what, &rest),
        Command::Fixtures { rest } => fixtures::run(&workspace, &rest),
        Command::Sim { rest } => sim::run(&workspace, &rest),
        Command::Fuzz { rest } => fuzz::run(&workspace, &rest),
        Command::Crash(kills) => stress::crash(&workspace, kills),
        Command::Rot { rest } => stress::other(&workspace, "rot", &rest),
        Command::Figures { rest } => stress::other(&workspace, "figures", &rest),
        Command::Powercut(kills) => stress::powercut(&workspace, kills),
        Command::Soak(soak) => stress::soak(&workspace, soak),
        Command::Mutants(orders) => mutants::run(&workspace, &orders),
        Command::Native => native::prepare(&workspace).map(drop),
    }
}
