//! What can be asked for. Precedence: flag, then `SPLITSTORE_*`, then the store's `splitstore.toml`, then default.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use splitstore::domain::{ColdPolicy, Settings};
use splitstore::folder::{HotEngine, MarksKind};
use splitstore::ports::cid::Cid;
use splitstore_fixtures::ChainSpec;

use crate::output::Output;

/// A block store for content-addressed chains that stays small by itself.
#[derive(Debug, Parser)]
#[command(name = "splitstore", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// The store's folder.
    #[arg(long, global = true, env = "SPLITSTORE_STORE", value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// Print exactly one JSON object on standard output, also for errors.
    #[arg(long, global = true, env = "SPLITSTORE_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// How to answer.
    pub(crate) const fn output(&self) -> Output {
        if self.json { Output::Json } else { Output::Text }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a store.
    Init(InitArgs),
    /// Take an archive (.car, .car.zst, CARv1 or CARv2) into the hot tier and move the head to its root tipset.
    Import(ImportArgs),
    /// Show settings, head, base and sizes.
    Info(WindowArgs),
    /// Compact now, whatever the trigger says.
    Compact(CompactArgs),
    /// Print a block's bytes.
    Get(CidArgs),
    /// Say whether a block is there.
    Has(CidArgs),
    /// Print the keys of a tier: one multihash in lower-case hex a line.
    Keys(KeysArgs),
    /// Write the chain from a tipset downwards as a CARv1.
    Export(ExportArgs),
    /// Check every block's hash in both tiers, and that every live block is there.
    Verify(WindowArgs),
    /// Write a generated chain in Filecoin's shape as a CARv1.
    Generate(GenerateArgs),
    /// Show a chain being imported and compacted several times, every law checked after each.
    Demo(DemoArgs),
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Engine of the hot tier: rocksdb or fjall.
    #[arg(long, env = "SPLITSTORE_HOT", value_name = "ENGINE")]
    pub(crate) hot: Option<HotEngine>,
    /// What remembers live blocks during a compaction: exact (in memory), disk, or disk behind roaring or bloom.
    #[arg(long, env = "SPLITSTORE_MARKS", value_name = "KIND")]
    pub(crate) marks: Option<MarksKind>,
    #[command(flatten)]
    pub(crate) windows: WindowArgs,
}

/// Windows and cold policy; what is not given stays as the store has it.
#[derive(Debug, Args, Clone, Copy)]
pub(crate) struct WindowArgs {
    /// What becomes of blocks that are no longer live: universal, messages or discard.
    #[arg(long, env = "SPLITSTORE_COLD_POLICY", value_name = "POLICY")]
    cold_policy: Option<ColdPolicy>,
    /// Epochs in one finality.
    #[arg(long, env = "SPLITSTORE_FINALITY", value_name = "EPOCHS")]
    finality: Option<u64>,
    /// Finalities past the base beyond which a compaction starts.
    #[arg(long, env = "SPLITSTORE_THRESHOLD", value_name = "N")]
    threshold: Option<u64>,
    /// Finalities behind the head in which everything stays hot.
    #[arg(long, env = "SPLITSTORE_BOUNDARY", value_name = "N")]
    boundary: Option<u64>,
    /// Finalities before the boundary in which messages and receipts stay hot.
    #[arg(long, env = "SPLITSTORE_MESSAGE_RETENTION", value_name = "N")]
    message_retention: Option<u64>,
}

impl WindowArgs {
    /// These choices, over `settings`.
    pub(crate) fn over(self, settings: Settings) -> Settings {
        Settings {
            finality_epochs: self.finality.unwrap_or(settings.finality_epochs),
            threshold_finalities: self.threshold.unwrap_or(settings.threshold_finalities),
            boundary_finalities: self.boundary.unwrap_or(settings.boundary_finalities),
            message_retention_finalities: self
                .message_retention
                .unwrap_or(settings.message_retention_finalities),
            cold_policy: self.cold_policy.unwrap_or(settings.cold_policy),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The archive.
    pub(crate) file: PathBuf,
    /// Move the head also to a chain of another genesis than the store's own.
    #[arg(long)]
    pub(crate) replace_chain: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CompactArgs {
    /// Say what would be done, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) windows: WindowArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CidArgs {
    /// The block.
    pub(crate) cid: Cid,
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
    /// Lowest height whose messages, receipts and state are written; headers always are.
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
    /// A chain archive; a chain is generated if none is given.
    pub(crate) file: Option<PathBuf>,
    /// Engine of the hot tier: rocksdb or fjall.
    #[arg(long, env = "SPLITSTORE_HOT", value_name = "ENGINE")]
    pub(crate) hot: Option<HotEngine>,
    /// Make the store here and keep it; otherwise it lives in a temporary folder and is removed.
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) chain: ChainArgs,
}

/// The chain to generate; equal choices give equal bytes.
#[derive(Debug, Args)]
pub(crate) struct ChainArgs {
    /// Height of the head.
    #[arg(long, value_name = "N")]
    epochs: Option<u64>,
    /// Actors in the state tree.
    #[arg(long, value_name = "N")]
    actors: Option<u64>,
    /// Actors that change in each epoch, in thousandths of all.
    #[arg(long, value_name = "PER_MILLE")]
    churn: Option<u32>,
    /// Messages per block on average.
    #[arg(long, value_name = "N")]
    messages: Option<u32>,
    /// Blocks of a tipset at most.
    #[arg(long, value_name = "N")]
    max_blocks: Option<u32>,
    /// Heights without a tipset, in thousandths.
    #[arg(long, value_name = "PER_MILLE")]
    null_rounds: Option<u32>,
    /// Tipsets with a rival that nobody builds on, in thousandths.
    #[arg(long, value_name = "PER_MILLE")]
    forks: Option<u32>,
    /// Source of all randomness.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

impl ChainArgs {
    /// These choices, over the defaults.
    pub(crate) fn spec(&self) -> ChainSpec {
        let spec = ChainSpec::default();
        ChainSpec {
            epochs: self.epochs.unwrap_or(spec.epochs),
            actors: self.actors.unwrap_or(spec.actors),
            churn_per_mille: self.churn.unwrap_or(spec.churn_per_mille),
            messages_per_block: self.messages.unwrap_or(spec.messages_per_block),
            max_blocks_per_tipset: self.max_blocks.unwrap_or(spec.max_blocks_per_tipset),
            null_rounds_per_mille: self.null_rounds.unwrap_or(spec.null_rounds_per_mille),
            forks_per_mille: self.forks.unwrap_or(spec.forks_per_mille),
            seed: self.seed.unwrap_or(spec.seed),
            ..spec
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
