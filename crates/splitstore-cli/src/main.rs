//! Command line of the split store: `splitstore --store DIR [--json] COMMAND`.
//!
//! ```text
//!   args.rs   what was asked        cmd/*.rs    one command each: open, do, print
//!   exit.rs   how it ends           output.rs   text for people or one JSON object
//! ```
//! Exit codes: 0 done; 1 a law is broken or something is missing; 2 bad usage or bad input; 130 interrupted.

mod args;
mod cmd;
mod exit;
mod interrupt;
mod logging;
mod opened;
mod output;
mod progress;

use std::process::ExitCode;

use crate::args::Cli;

fn main() -> ExitCode {
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(error) => return exit::usage(&error),
    };
    let output = cli.output();
    logging::start();
    let outcome = cmd::run(&cli, output);
    exit::code(outcome, output, || opened::engine(&cli))
}
