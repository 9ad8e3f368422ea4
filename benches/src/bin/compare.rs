//! `compare`: the split store against the algorithm of the original, one table; and, inside of it, one probe.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use splitstore_benches::compare::{self, Orders, Scale};

#[derive(Parser)]
#[command(version, about)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure everything, print one table; a full run of everything writes it into the docs too.
    Run {
        /// A quick look: some 200,000 blocks
        #[arg(long)]
        small: bool,
        /// Rows as objects, one a line, instead of a table
        #[arg(long)]
        json: bool,
        /// Only works whose name holds this
        #[arg(long, value_name = "WORK")]
        only: Option<String>,
        /// Rounds; costly references are measured in the first ones only
        #[arg(long, value_name = "N", default_value_t = 5)]
        rounds: usize,
        /// Measure nothing: make the table of a run that was cut short from the log of it
        #[arg(long, value_name = "LOG")]
        from: Option<PathBuf>,
        /// Where stores are kept between runs
        #[arg(long)]
        cache: PathBuf,
        /// The folder with benchmarks.md
        #[arg(long)]
        docs: PathBuf,
    },
    /// Measure one thing and print its values: what `run` starts.
    #[command(hide = true)]
    Probe {
        name: String,
        #[arg(long)]
        store: PathBuf,
        #[arg(long)]
        scratch: PathBuf,
    },
}

fn main() -> ExitCode {
    match run(Line::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("compare: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Probe { name, store, scratch } => {
            compare::probe(&name, &store, &scratch)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Run { small, json, only, rounds, from, cache, docs } => {
            let (scale, name) = if small { (Scale::Small, "small") } else { (Scale::Full, "full") };
            let cache = cache.join(name);
            let compared = compare::run(&Orders { scale, only, rounds, from, cache, docs })?;
            let shown = if json { compared.json() } else { compared.text() };
            std::io::stdout().write_all(shown.as_bytes())?;
            Ok(if compared.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
    }
}
