//! The cut of one compaction.
//!
//! ```text
//!   base     messages_from      boundary                        head
//!    |=============|===============|------ boundary finalities ----|    epochs ->
//!    everything    messages and    everything stays hot
//!    out of scope  receipts stay
//! ```
//! Invariant: `messages_from <= boundary <= head`. On a chain shorter than the boundary all three meet at
//! genesis and nothing is out of scope but what no header reaches.

use crate::{Epoch, Policy};

/// Which heights one compaction keeps hot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Where the last compaction cut.
    pub base: Epoch,
    /// Lowest height whose messages and receipts stay hot.
    pub messages_from: Epoch,
    /// Lowest height whose state stays hot; the next base.
    pub boundary: Epoch,
    /// The head it was computed from.
    pub head: Epoch,
}

impl Window {
    /// The cut that `policy` makes when the chain stands at `head`.
    pub const fn at(head: Epoch, base: Epoch, policy: &Policy) -> Self {
        let boundary = head.back(policy.boundary());
        let messages_from = boundary.back(policy.message_retention());
        Self { base, messages_from, boundary, head }
    }
}
