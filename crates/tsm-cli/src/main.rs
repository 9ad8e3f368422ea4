//! `tsm`: what one does with InfluxDB's TSM files while no server has them open.
//!
//! ```text
//!   args -> cmd/<command>.rs -> Outcome -> exit code     0 done, 1 something is wrong, 2 bad usage or input
//! ```
//! Results go to standard output, all else to standard error.

mod args;
mod clock;
mod cmd;
mod content;
mod damage;
mod exit;
mod folder;
mod lines;
mod output;
mod paths;
mod progress;
mod text;
mod time;
mod values;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match args::Args::try_parse() {
        Ok(args) => exit::code(cmd::run(&args), args.output()),
        Err(error) => exit::usage(&error),
    }
}
