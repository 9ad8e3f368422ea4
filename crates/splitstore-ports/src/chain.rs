//! The node's chain.

use std::sync::Arc;

use cid::Cid;
use splitstore_domain::{Epoch, HeadChange, HeaderView, Tipset, TipsetKey};

use crate::Result;

/// Read access to a chain.
///
/// **Contract.** Answers come from the chain that `heaviest` heads, or the tipset given. A null round has no
/// tipset: `tipset_at` answers with the tipset at the height or, where there is none, the closest one below.
/// **Concurrency.** Any thread; no call blocks on a compaction.
/// **Errors.** `Corrupt` for a header that cannot be decoded, with its CID. A header that is not there is
/// `Ok(None)` from `tipset`, and an error naming it where the chain below `from` breaks off.
/// **Who calls it.** Start, trigger, the mark phase.
pub trait ChainAccessor: Send + Sync {
    /// The head; `None` before the first.
    fn heaviest(&self) -> Result<Option<Tipset>>;

    /// The tipset with this key.
    fn tipset(&self, key: &TipsetKey) -> Result<Option<Tipset>>;

    /// The tipset at `height`, or the one before a null round, below `from`; `None` if `from` is lower.
    fn tipset_at(&self, height: Epoch, from: &Tipset) -> Result<Option<Tipset>>;

    /// Reads the header that these bytes are; pure.
    fn header(&self, cid: &Cid, data: &[u8]) -> Result<HeaderView>;

    /// The CID under which the chain stores the tipset key as an object, if it does (Filecoin, for Ethereum
    /// clients).
    fn key_object(&self, key: &TipsetKey) -> Option<Cid>;

    /// Calls `listener` on each head change from now on, in order.
    fn subscribe(&self, listener: Arc<dyn HeadListener>) -> Result<()>;
}

/// Hears of head changes.
pub trait HeadListener: Send + Sync {
    /// The head moved. Returns soon: work is done elsewhere.
    fn head_changed(&self, change: &HeadChange) -> Result<()>;
}
