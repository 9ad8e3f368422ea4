//! Sets of marked keys. They may claim too much, never too little.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use splitstore_domain::BlockKey;

use crate::{KeyScan, Result};

/// A set of keys that stay.
///
/// **Contract.** After `mark_many` returns, `has_many` answers true for each of its keys, for ever. For other
/// keys it MAY answer true, so only its "no" is final: the orchestrator confirms a "yes" with the exact
/// [`crate::VisitSet`], which alone decides whether a walk goes on and what stays visible.
/// **Durability.** None until `seal`; a sealed set recovers with at least the marks it had when sealed.
/// **Concurrency.** Marking and asking from any number of threads.
/// **Errors.** A failed mark is a safety error: the run that asked for it ends before anything is deleted.
/// **Who calls it.** Mark, protection, collect, purge.
pub trait MarkSet: Send + Sync {
    /// Marks keys.
    fn mark_many(&self, keys: &[BlockKey]) -> Result<()>;

    /// Appends to `answers`, for each key in order, whether it is marked.
    fn has_many(&self, keys: &[BlockKey], answers: &mut Vec<bool>) -> Result<()>;

    /// How many keys are marked, as well as the set can tell.
    fn len(&self) -> u64;

    /// Whether nothing was marked yet.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes all marks to `out`, for [`MarkSetFactory::recover`] to read. Framing, checksum and fsync are the
    /// caller's.
    fn seal(&self, out: &mut dyn Write) -> Result<()>;
}

/// What a new set is told about its use.
#[derive(Clone, Copy)]
pub struct SetHint<'a> {
    /// How many keys to expect; a hint, not a limit.
    pub expected: u64,
    /// The keys that will be asked about, for sets that number them.
    pub universe: &'a dyn KeyScan,
    /// An empty folder of its own, for sets that live on disk; removed with the run.
    pub folder: &'a Path,
}

/// Makes mark sets of one kind.
pub trait MarkSetFactory: Send + Sync {
    /// A word for settings and reports: `exact`, `roaring`, `bloom`, `disk`.
    fn name(&self) -> &'static str;

    /// An empty set.
    fn create(&self, hint: &SetHint<'_>) -> Result<Arc<dyn MarkSet>>;

    /// The set that `seal` wrote. Input that is cut or altered is `Corrupt`.
    fn recover(&self, sealed: &mut dyn Read, hint: &SetHint<'_>) -> Result<Arc<dyn MarkSet>>;
}
