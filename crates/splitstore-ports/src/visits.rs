//! The exact set that gates a walk.
//!
//! Why it is another trait than [`MarkSet`]: a mark set that wrongly says "marked" keeps garbage. A walk that
//! is wrongly told "seen before" turns back at a live block, whose children are then never marked, and are
//! deleted:
//!
//! ```text
//!   root -> a -> b         filter says "a seen" (it was not): b is never marked, purge deletes a live block
//! ```
//! So bloom and hashed roaring sets implement [`MarkSet`] only. An exact set compares whole keys, or at least
//! 128 bits of a hash under a secret seed.

use std::sync::Arc;

use splitstore_domain::BlockKey;

use crate::{MarkSet, Result, SetHint};

/// How the walk means to read a block. A block seen as opaque is still opened when it is met as DAG-CBOR, and
/// one seen as plain DAG-CBOR is still expanded when it is met as a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reading {
    /// Kept, not opened.
    Opaque,
    /// Opened, its links followed.
    Dag,
    /// Opened as a block header: the retention table decides what is followed.
    Header,
}

/// A key and how it is about to be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Visit {
    /// The block.
    pub key: BlockKey,
    /// How it will be read.
    pub reading: Reading,
}

/// An exact mark set that answers "first time?".
///
/// **Contract.** Of all calls that ever visit one (key, reading), exactly one is told `true`, also among
/// threads. A visited key is marked. Marking alone (`mark_many`) is no visit: a later visit is still a first.
/// Everything else as for [`MarkSet`], and `has_many` is exact: true only for what was visited or marked.
/// **Who calls it.** The walker.
pub trait VisitSet: MarkSet {
    /// Appends to `first`, for each visit in order, whether it is the first of its kind. A visit that stands
    /// twice in the batch is first once.
    fn visit_many(&self, visits: &[Visit], first: &mut Vec<bool>) -> Result<()>;

    /// Appends to `before`, for each visit in order, whether it was made before; changes nothing.
    fn visited_many(&self, visits: &[Visit], before: &mut Vec<bool>) -> Result<()>;
}

/// Makes visit sets of one kind.
pub trait VisitSetFactory: Send + Sync {
    /// A word for settings and reports: `exact`, `disk`.
    fn name(&self) -> &'static str;

    /// An empty set.
    fn create(&self, hint: &SetHint<'_>) -> Result<Arc<dyn VisitSet>>;

    /// The set that `seal` wrote, its visits included. Input that is cut or altered is `Corrupt`.
    fn recover_visits(&self, sealed: &mut dyn std::io::Read, hint: &SetHint<'_>)
    -> Result<Arc<dyn VisitSet>>;
}
