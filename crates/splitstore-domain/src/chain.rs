//! The chain as the store sees it: tipsets, the six facts of a header, head changes.
//!
//! A *tipset* is the set of blocks of one height with the same parents. A chain of single blocks is a chain
//! of tipsets of one.

use std::fmt;

use cid::Cid;

use crate::Epoch;

/// The header CIDs of a tipset, in the chain's canonical order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TipsetKey(Vec<Cid>);

impl TipsetKey {
    /// The key of these headers; the order is the chain's.
    pub const fn new(headers: Vec<Cid>) -> Self {
        Self(headers)
    }

    /// The headers.
    pub fn cids(&self) -> &[Cid] {
        &self.0
    }

    /// Whether it names no header, as the parents of genesis do.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for TipsetKey {
    /// The CIDs with `+` between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, cid) in self.0.iter().enumerate() {
            write!(f, "{}{cid}", if index == 0 { "" } else { "+" })?;
        }
        Ok(())
    }
}

/// A tipset: its key and what all its headers share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tipset {
    /// Its headers.
    pub key: TipsetKey,
    /// Its height.
    pub height: Epoch,
    /// Lowest timestamp of its headers, in seconds since the Unix epoch.
    pub timestamp: u64,
    /// The tipset it builds on; empty at genesis.
    pub parents: TipsetKey,
}

/// What the walk reads of a block header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderView {
    /// Height of the header.
    pub height: Epoch,
    /// Seconds since the Unix epoch.
    pub timestamp: u64,
    /// Headers it builds on; at genesis what it names as such, which is no header.
    pub parents: TipsetKey,
    /// Root of its messages.
    pub messages: Cid,
    /// Root of the receipts of its parents' messages.
    pub receipts: Cid,
    /// Root of the state after its parents' messages: its own result is known to its children only.
    pub state: Cid,
}

/// The head moved: first `revert` (newest first), then `apply` (oldest first).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeadChange {
    /// Tipsets that left the chain.
    pub revert: Vec<Tipset>,
    /// Tipsets that joined it; the last is the new head.
    pub apply: Vec<Tipset>,
}
