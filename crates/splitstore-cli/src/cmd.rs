//! The commands, one file each.

mod compact;
mod demo;
mod export;
mod generate;
mod get;
mod has;
mod import;
mod info;
mod init;
mod keys;
#[cfg(feature = "rocksdb")]
mod repair;
mod verify;

mod shape;

use anyhow::Result;

use crate::args::{Cli, Command};
use crate::exit::Outcome;
use crate::output::Output;

/// Does what was asked for.
pub(crate) fn run(cli: &Cli, output: Output) -> Result<Outcome> {
    match &cli.command {
        Command::Init(args) => init::run(cli, args, output),
        Command::Import(args) => import::run(cli, args, output),
        Command::Info(args) => info::run(cli, *args, output),
        Command::Compact(args) => compact::run(cli, args, output),
        Command::Get(args) => get::run(cli, args, output),
        Command::Has(args) => has::run(cli, args, output),
        Command::Keys(args) => keys::run(cli, args, output),
        Command::Export(args) => export::run(cli, args, output),
        Command::Verify(args) => verify::run(cli, *args, output),
        #[cfg(feature = "rocksdb")]
        Command::Repair => repair::run(cli, output),
        Command::Generate(args) => generate::run(cli, args, output),
        Command::Demo(args) => demo::run(args, output),
    }
}
