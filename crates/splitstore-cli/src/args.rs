//! What can be asked for. Precedence: flag, then `SPLITSTORE_*`, then the store's `splitstore.toml`, then default.

mod chain;
mod windows;
pub(crate) use chain::ChainArgs;
pub(crate) use windows::{NewWindows, WindowArgs};

use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use splitstore::domain::BlockKey;
use splitstore::domain::object::RAW;
use splitstore::folder::{FolderSettings, HotEngine, Marking, MarksKind, PaceMode, Purging};
use splitstore::ports::cid::Cid;

use crate::output::Output;

const EXIT_CODES: &str = "Exit codes: 0 done; 1 a law is broken or something is missing; 2 bad usage or bad input; \
                          130 interrupted by Ctrl-C or SIGTERM, between two steps, safe to repeat";

const NEW_STORE: &str = "All of this stands in the store's splitstore.toml and may be changed there; docs/settings.md lists \
                         every key";

/// A number of bytes, refused in plain words.
fn bytes(text: &str) -> Result<NonZeroU64, &'static str> {
    text.parse().map_err(|_| "not a whole number from 1 up")
}

/// A whole number, refused in plain words.
fn whole(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(|_| "not a whole number from 0 up")
}

/// A block store for content-addressed chains that stays small by itself.
#[derive(Debug, Parser)]
#[command(name = "splitstore", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// The store's folder. `demo` makes it there and keeps it; `generate` uses none.
    #[arg(long, global = true, env = "SPLITSTORE_STORE", value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// Print exactly one JSON object on standard output, also for errors.
    #[arg(long, global = true, env = "SPLITSTORE_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Reads the command line.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let matches = command.try_get_matches_from_mut(std::env::args_os())?;
        let mut cli = Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
        cli.hand_over_store(matches.value_source("store"))
            .map_err(|why| command.error(ErrorKind::ArgumentConflict, why))?;
        Ok(cli)
    }

    /// The demo makes its store where `--store` says and keeps it. A store from the environment is meant for other
    /// commands.
    fn hand_over_store(&mut self, source: Option<ValueSource>) -> Result<(), &'static str> {
        let named = self.store.take_if(|_| source == Some(ValueSource::CommandLine));
        match &mut self.command {
            Command::Demo(args) if named.is_some() && args.keep.is_some() => {
                return Err("demo makes one store: give --store DIR or --keep DIR, they mean the same");
            }
            Command::Demo(args) => args.keep = named.or(args.keep.take()),
            Command::Generate(_) => self.store = named,
            _ => self.store = named.or(self.store.take()),
        }
        Ok(())
    }

    /// How to answer.
    pub(crate) const fn output(&self) -> Output {
        if self.json { Output::Json } else { Output::Text }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a store.
    #[command(after_help = NEW_STORE)]
    Init(InitArgs),
    /// Take an archive (.car, .car.zst, CARv1 or CARv2) into the hot tier and move the head to its root tipset.
    Import(ImportArgs),
    /// Show settings, head, base and sizes.
    Info(WindowArgs),
    /// Compact now, whatever the trigger says.
    Compact(CompactArgs),
    /// Print a block's bytes: by CID, or by key as `keys` prints it.
    Get(CidArgs),
    /// Say whether a block is there.
    Has(CidArgs),
    /// Print the keys of a tier: one multihash in lower-case hex a line.
    Keys(KeysArgs),
    /// Write the chain from a tipset downwards as a CARv1.
    Export(ExportArgs),
    /// Check every block's hash in both tiers, and that every live block is there.
    Verify(WindowArgs),
    /// Write a damaged hot tier anew from what can be read of it; the old one is kept beside it.
    #[cfg(feature = "rocksdb")]
    Repair,
    /// Write a generated chain in Filecoin's shape as a CARv1.
    Generate(GenerateArgs),
    /// Show a chain being imported and compacted several times, every law checked after each.
    Demo(DemoArgs),
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Engine of the hot tier: rocksdb or fjall.
    #[arg(long, env = "SPLITSTORE_HOT", value_name = "ENGINE", default_value_t)]
    pub(crate) hot: HotEngine,
    /// What remembers live blocks during a compaction: exact (in memory), disk, or disk behind roaring or bloom.
    #[arg(long, env = "SPLITSTORE_MARKS", value_name = "KIND", default_value_t = FolderSettings::default().marks)]
    pub(crate) marks: MarksKind,
    /// How a compaction finds out what is live: walk, scan, links (keeps a link index), or auto.
    #[arg(long, env = "SPLITSTORE_MARKING", value_name = "WAY", default_value_t = FolderSettings::default().marking)]
    pub(crate) marking: Marking,
    /// With `--marking auto`: keep a link index too, and mark by it. Of no use with walk, scan or fjall.
    #[arg(long, env = "SPLITSTORE_LINK_INDEX", value_parser = BoolishValueParser::new())]
    pub(crate) link_index: bool,
    /// What marking may take of memory for a graph of the hot tier; a compaction that would need more walks. No limit if
    /// left out.
    #[arg(long, env = "SPLITSTORE_MARKING_MEMORY_MIB", value_name = "MIB", value_parser = whole, allow_negative_numbers = true)]
    pub(crate) marking_memory_mib: Option<u64>,
    /// How a compaction takes dead blocks out of the hot tier: delete, rewrite, or auto. fjall deletes always.
    #[arg(long, env = "SPLITSTORE_PURGE", value_name = "WAY", default_value_t = FolderSettings::default().purge)]
    pub(crate) purge: Purging,
    /// How compactions that start by themselves in a node treat its reads: paced or fast. `compact` does not look at it.
    #[arg(long, value_name = "PACE", default_value_t = FolderSettings::default().pace.mode)]
    pub(crate) pace: PaceMode,
    /// Bytes a second that a paced compaction may read and write on average. No limit if left out.
    #[arg(long, env = "SPLITSTORE_IO_LIMIT", value_name = "BYTES", value_parser = bytes, allow_negative_numbers = true)]
    pub(crate) io_limit: Option<NonZeroU64>,
    #[command(flatten)]
    pub(crate) windows: NewWindows,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The archive.
    pub(crate) file: PathBuf,
    /// Move the head also to a chain of another genesis than the store's own, or back to one that ends below it.
    #[arg(long)]
    pub(crate) replace_chain: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CompactArgs {
    /// Say what would be done, and change nothing; what a crash left of an earlier compaction is finished first, as by every
    /// command.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How it treats those who use the machine meanwhile: fast takes what it can get, paced rests between its steps and
    /// keeps to the `io_limit` of splitstore.toml, whose `mode` is for nodes and not looked at here.
    #[arg(long, env = "SPLITSTORE_PACE", value_name = "PACE", default_value_t = PaceMode::Fast)]
    pub(crate) pace: PaceMode,
    #[command(flatten)]
    pub(crate) windows: WindowArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CidArgs {
    /// The block's CID, or its key as `keys` prints it.
    #[arg(value_parser = cid_or_key)]
    pub(crate) cid: Cid,
}

/// A block is found by its multihash, so under a key any codec will do.
fn cid_or_key(text: &str) -> Result<Cid, String> {
    text.parse().or_else(|error: splitstore::ports::cid::Error| match text.parse::<BlockKey>() {
        Ok(key) => Ok(key.to_cid(RAW)),
        Err(_) => Err(format!("neither a CID ({error}) nor a multihash in hex")),
    })
}

#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    /// Which tier.
    #[arg(long)]
    pub(crate) tier: TierName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TierName {
    /// The fast tier.
    Hot,
    /// The cheap tier.
    Cold,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The archive to write; one that is there is replaced.
    pub(crate) file: PathBuf,
    /// Headers of the tipset to begin at, with commas between them; the head if left out.
    #[arg(long, value_name = "CID,CID..", value_delimiter = ',')]
    pub(crate) tipset: Vec<Cid>,
    /// Lowest height whose messages, receipts and state are written; headers always are, so a height above the tipset's
    /// gives these alone.
    #[arg(long, value_name = "HEIGHT", default_value_t = 0)]
    pub(crate) down_to: u64,
}

#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// The archive to write; one that is there is replaced.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) chain: ChainArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// A chain archive to replay; a chain is generated if none is given.
    #[arg(conflicts_with = "generated")]
    pub(crate) file: Option<PathBuf>,
    /// Engine of the hot tier: rocksdb or fjall.
    #[arg(long, env = "SPLITSTORE_HOT", value_name = "ENGINE", default_value_t)]
    pub(crate) hot: HotEngine,
    /// Make the store here and keep it, as --store does; otherwise it lives in a temporary folder and is removed.
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) chain: ChainArgs,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
