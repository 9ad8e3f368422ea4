//! Points and spans of chain time, in types that cannot be mixed.
//!
//! `Epoch - Epoch` is a span, `Epoch - EpochSpan` is an epoch that stops at genesis; epochs are never added.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A height of the chain: 0 is genesis. One epoch is 30 s in Filecoin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(u64);

/// A number of epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EpochSpan(u64);

impl Epoch {
    /// Height 0.
    pub const GENESIS: Self = Self(0);

    /// The epoch of this height.
    pub const fn new(height: u64) -> Self {
        Self(height)
    }

    /// The height.
    pub const fn height(self) -> u64 {
        self.0
    }

    /// How far this epoch lies after `earlier`; nothing if it lies before.
    pub const fn since(self, earlier: Self) -> EpochSpan {
        EpochSpan(self.0.saturating_sub(earlier.0))
    }

    /// The epoch `span` before this one, genesis at the lowest (young chains are shorter than their windows).
    pub const fn back(self, span: EpochSpan) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl EpochSpan {
    /// A span of this many epochs.
    pub const fn new(epochs: u64) -> Self {
        Self(epochs)
    }

    /// How many epochs.
    pub const fn epochs(self) -> u64 {
        self.0
    }

    /// This span, `times` over; `u64::MAX` epochs at the most.
    pub const fn times(self, times: u64) -> Self {
        Self(self.0.saturating_mul(times))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for EpochSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
