//! Windows and cold policy: of a store to be made, and instead of what a store has.

use clap::Args;
use splitstore::domain::{ColdPolicy, Settings};

use super::whole;

/// Of a new store.
#[derive(Debug, Args, Clone, Copy)]
#[command(next_help_heading = "Settings of the store (kept in its splitstore.toml)")]
pub(crate) struct NewWindows {
    /// What becomes of blocks that are no longer live: universal moves all to cold, messages only old messages and
    /// receipts, discard none.
    #[arg(long, env = "SPLITSTORE_COLD_POLICY", value_name = "POLICY", default_value_t = Settings::default().cold_policy)]
    cold_policy: ColdPolicy,
    /// Epochs in one finality.
    #[arg(long, env = "SPLITSTORE_FINALITY", value_parser = whole, allow_negative_numbers = true, value_name = "EPOCHS", default_value_t = Settings::default().finality_epochs)]
    finality: u64,
    /// Finalities past the base beyond which a compaction starts; more than the boundary.
    #[arg(long, env = "SPLITSTORE_THRESHOLD", value_parser = whole, allow_negative_numbers = true, value_name = "N", default_value_t = Settings::default().threshold_finalities)]
    threshold: u64,
    /// Finalities behind the head in which everything stays hot.
    #[arg(long, env = "SPLITSTORE_BOUNDARY", value_parser = whole, allow_negative_numbers = true, value_name = "N", default_value_t = Settings::default().boundary_finalities)]
    boundary: u64,
    /// Finalities before the boundary in which messages and receipts stay hot.
    #[arg(long, env = "SPLITSTORE_MESSAGE_RETENTION", value_parser = whole, allow_negative_numbers = true, value_name = "N",
          default_value_t = Settings::default().message_retention_finalities)]
    message_retention: u64,
}

impl NewWindows {
    pub(crate) const fn settings(self) -> Settings {
        Settings {
            finality_epochs: self.finality,
            threshold_finalities: self.threshold,
            boundary_finalities: self.boundary,
            message_retention_finalities: self.message_retention,
            cold_policy: self.cold_policy,
        }
    }
}

/// Instead of what the store was made with, for this one command.
#[derive(Debug, Args, Clone, Copy)]
#[command(next_help_heading = "Instead of the store's own settings, for this command only")]
pub(crate) struct WindowArgs {
    /// What becomes of blocks that are no longer live: universal, messages or discard [default: as stored].
    #[arg(long, env = "SPLITSTORE_COLD_POLICY", value_name = "POLICY")]
    cold_policy: Option<ColdPolicy>,
    /// Epochs in one finality [default: as stored].
    #[arg(long, env = "SPLITSTORE_FINALITY", value_parser = whole, allow_negative_numbers = true, value_name = "EPOCHS")]
    finality: Option<u64>,
    /// Finalities past the base beyond which a compaction would start by itself. No command waits for it; it is here
    /// because it must exceed the boundary [default: as stored].
    #[arg(long, env = "SPLITSTORE_THRESHOLD", value_parser = whole, allow_negative_numbers = true, value_name = "N")]
    threshold: Option<u64>,
    /// Finalities behind the head in which everything stays hot [default: as stored].
    #[arg(long, env = "SPLITSTORE_BOUNDARY", value_parser = whole, allow_negative_numbers = true, value_name = "N")]
    boundary: Option<u64>,
    /// Finalities before the boundary in which messages and receipts stay hot [default: as stored].
    #[arg(long, env = "SPLITSTORE_MESSAGE_RETENTION", value_parser = whole, allow_negative_numbers = true, value_name = "N")]
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
