//! The commands, a file each.

mod compact;
mod delete;
mod dump;
mod export;
mod import;
mod plan;
mod repair;
mod report;
mod verify;

use anyhow::Result;

use crate::args::{Args, Command};
use crate::exit::Outcome;

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let output = args.output();
    match &args.command {
        Command::Verify(files) => verify::run(files, output),
        Command::Dump(dump) => dump::run(dump, output),
        Command::Report(files) => report::run(files, output),
        Command::Plan(plan) => plan::run(plan, output),
        Command::Compact(compact) => compact::run(compact, output),
        Command::Repair(repair) => repair::run(repair, output),
        Command::Export(export) => export::run(export, output),
        Command::Delete(delete) => delete::run(delete, output),
        Command::Import(import) => import::run(import, output),
    }
}
