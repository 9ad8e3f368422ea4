//! The chain that `generate` writes and `demo` plays.

use clap::Args;
use splitstore_fixtures::ChainSpec;

/// The chain to generate; equal choices give equal bytes.
#[derive(Debug, Args)]
#[group(id = "generated")]
#[command(next_help_heading = "The generated chain (equal choices give equal bytes)")]
pub(crate) struct ChainArgs {
    /// Height of the head.
    #[arg(long, value_name = "N", default_value_t = ChainSpec::default().epochs)]
    epochs: u64,
    /// Actors in the state tree.
    #[arg(long, value_name = "N", default_value_t = ChainSpec::default().actors)]
    actors: u64,
    /// Actors that change in each epoch, in thousandths of all.
    #[arg(long, value_name = "PER_MILLE", default_value_t = ChainSpec::default().churn_per_mille)]
    churn: u32,
    /// Messages per block on average.
    #[arg(long, value_name = "N", default_value_t = ChainSpec::default().messages_per_block)]
    messages: u32,
    /// Blocks of a tipset at most.
    #[arg(long, value_name = "N", default_value_t = ChainSpec::default().max_blocks_per_tipset)]
    max_blocks: u32,
    /// Heights without a tipset, in thousandths.
    #[arg(long, value_name = "PER_MILLE", default_value_t = ChainSpec::default().null_rounds_per_mille)]
    null_rounds: u32,
    /// Tipsets with a rival that nobody builds on, in thousandths.
    #[arg(long, value_name = "PER_MILLE", default_value_t = ChainSpec::default().forks_per_mille)]
    forks: u32,
    /// Source of all randomness.
    #[arg(long, value_name = "N", default_value_t = ChainSpec::default().seed)]
    seed: u64,
}

impl ChainArgs {
    pub(crate) fn spec(&self) -> ChainSpec {
        ChainSpec {
            epochs: self.epochs,
            actors: self.actors,
            churn_per_mille: self.churn,
            messages_per_block: self.messages,
            max_blocks_per_tipset: self.max_blocks,
            null_rounds_per_mille: self.null_rounds,
            forks_per_mille: self.forks,
            seed: self.seed,
            ..ChainSpec::default()
        }
    }
}
