//! What an operator chooses, as plain data and as a checked type.
//!
//! [`Settings`] is what a file or a flag says. [`Policy`] can only be had from settings that make sense, so
//! later code never checks again.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::EpochSpan;

/// What becomes of blocks that are no longer live in hot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColdPolicy {
    /// All of them move to cold: nothing is ever lost. The default.
    #[default]
    Universal,
    /// Messages and receipts older than their retention move to cold, the rest is dropped.
    Messages,
    /// All of them are dropped.
    Discard,
}

impl ColdPolicy {
    /// The word for it in settings, flags and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Universal => "universal",
            Self::Messages => "messages",
            Self::Discard => "discard",
        }
    }
}

impl fmt::Display for ColdPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for ColdPolicy {
    type Err = PolicyError;

    fn from_str(name: &str) -> Result<Self, PolicyError> {
        [Self::Universal, Self::Messages, Self::Discard]
            .into_iter()
            .find(|policy| policy.name() == name)
            .ok_or_else(|| PolicyError::UnknownColdPolicy { name: name.into() })
    }
}

/// The windows of one store, as written in `splitstore.toml`. Defaults are Lotus', but for the cold policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Epochs in one finality; 900 in Filecoin.
    pub finality_epochs: u64,
    /// A compaction starts when the head is more than this many finalities past the base.
    pub threshold_finalities: u64,
    /// Finalities behind the head in which everything stays hot.
    pub boundary_finalities: u64,
    /// Finalities before the boundary in which messages and receipts stay hot.
    pub message_retention_finalities: u64,
    /// What becomes of the rest.
    pub cold_policy: ColdPolicy,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            finality_epochs: 900,
            threshold_finalities: 5,
            boundary_finalities: 4,
            message_retention_finalities: 0,
            cold_policy: ColdPolicy::Universal,
        }
    }
}

/// Checked settings: spans are positive and the boundary lies inside the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    settings: Settings,
}

/// Settings that make no sense together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// A finality of no epochs.
    #[error("finality must be at least 1 epoch")]
    NoFinality,
    /// Nothing would ever be eligible.
    #[error("boundary ({boundary} finalities) must be below threshold ({threshold} finalities)")]
    BoundaryBeyondThreshold {
        /// The boundary that was given.
        boundary: u64,
        /// The threshold that was given.
        threshold: u64,
    },
    /// Not one of the three.
    #[error("unknown cold policy `{name}`: universal, messages or discard")]
    UnknownColdPolicy {
        /// What was given.
        name: String,
    },
}

impl Policy {
    /// Checks settings.
    pub const fn new(settings: Settings) -> Result<Self, PolicyError> {
        if settings.finality_epochs == 0 {
            return Err(PolicyError::NoFinality);
        }
        let (boundary, threshold) = (settings.boundary_finalities, settings.threshold_finalities);
        if boundary >= threshold {
            return Err(PolicyError::BoundaryBeyondThreshold { boundary, threshold });
        }
        Ok(Self { settings })
    }

    /// The settings it was made from.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How far the head must be past the base before a compaction starts; it starts beyond, not at it.
    pub const fn threshold(&self) -> EpochSpan {
        self.finalities(self.settings.threshold_finalities)
    }

    /// How far behind the head everything stays hot.
    pub const fn boundary(&self) -> EpochSpan {
        self.finalities(self.settings.boundary_finalities)
    }

    /// How far before the boundary messages and receipts stay hot.
    pub const fn message_retention(&self) -> EpochSpan {
        self.finalities(self.settings.message_retention_finalities)
    }

    /// What becomes of blocks out of scope.
    pub const fn cold(&self) -> ColdPolicy {
        self.settings.cold_policy
    }

    const fn finalities(&self, count: u64) -> EpochSpan {
        EpochSpan::new(self.settings.finality_epochs).times(count)
    }
}
