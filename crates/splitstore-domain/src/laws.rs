//! The laws that a healthy store obeys, as findings of an audit.
//!
//! `verify` walks the store and collects [`Violation`]s; an empty list is the only pass.

use std::fmt;

use cid::Cid;

/// One broken law.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// A block that must be live is in neither tier.
    MissingLive {
        /// The block.
        cid: Cid,
        /// What points at it, where that is known.
        parent: Option<Cid>,
    },
    /// A block's data does not hash to its key.
    WrongHash {
        /// The tier that holds it.
        tier: &'static str,
        /// The block.
        cid: Cid,
    },
    /// A check ended where something could not be read; what lies behind it was not looked at.
    Unreadable {
        /// What was being read: `hot`, `cold`, `live blocks`, `link index`.
        what: &'static str,
        /// Why, with its causes.
        fault: String,
    },
    /// A live block cannot be read as what its codec says.
    Malformed {
        /// The block.
        cid: Cid,
        /// What is wrong, with its position.
        fault: String,
    },
    /// The link index says of a block what the block does not say.
    LinkIndex {
        /// The block; `None` if it is about the index as a whole.
        cid: Option<Cid>,
        /// What is wrong, with the file.
        fault: String,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingLive { cid, parent: Some(parent) } => {
                write!(f, "live block {cid} is missing, {parent} links to it")
            }
            Self::MissingLive { cid, parent: None } => write!(f, "live block {cid} is missing"),
            Self::WrongHash { tier, cid } => write!(f, "{tier} block {cid} does not hash to its key"),
            Self::Unreadable { what, fault } => {
                write!(f, "the check of {what} ended, what is behind was not looked at: {fault}")
            }
            Self::Malformed { cid, fault } => write!(f, "live block {cid} is unreadable: {fault}"),
            Self::LinkIndex { cid: Some(cid), fault } => {
                write!(f, "the link index is wrong about block {cid}: {fault}")
            }
            Self::LinkIndex { cid: None, fault } => write!(f, "the link index is wrong: {fault}"),
        }
    }
}

/// What an audit looked at and found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Audit {
    /// Blocks hashed in hot.
    pub hot_blocks: u64,
    /// Blocks hashed in cold.
    pub cold_blocks: u64,
    /// Blocks found live.
    pub live_blocks: u64,
    /// Blocks of hot that the link index was compared with; `None` if none is in force.
    pub indexed_blocks: Option<u64>,
    /// Blocks that are absent and may be: old parts that a snapshot lacked, receipts that a node never had, leaves that are
    /// not DAG-CBOR, as the code of actors.
    pub tolerated: u64,
    /// Findings beyond [`Audit::KEPT`] that are counted but not kept.
    pub more: u64,
    /// The first findings.
    pub violations: Vec<Violation>,
}

impl Audit {
    /// How many findings are kept: a broken disk must not fill memory.
    pub const KEPT: usize = 1000;

    /// Notes a finding.
    pub fn found(&mut self, violation: Violation) {
        if self.violations.len() < Self::KEPT {
            self.violations.push(violation);
        } else {
            self.more += 1;
        }
    }

    /// Whether no law is broken.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }
}
