//! All keys of a store, in order, from one moment.

use cid::Cid;
use splitstore_domain::BlockKey;

use crate::Result;

/// One key of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyEntry {
    /// The block's key.
    pub key: BlockKey,
    /// The codec it was put under.
    pub codec: u64,
    /// The length of its data in bytes.
    pub size: u64,
}

impl KeyEntry {
    /// The block's CIDv1.
    pub fn cid(&self) -> Cid {
        self.key.to_cid(self.codec)
    }
}

/// Scanning keys.
///
/// **Contract.** A cursor yields each key that was in the store when it was made, once, in ascending order of
/// the key's bytes, whatever is put or deleted meanwhile: it reads a snapshot.
/// **Concurrency.** Scans run beside readers and writers and block neither. A cursor MAY pin disk space, so
/// callers drop it soon.
/// **Errors.** A damaged record is `Corrupt`; the scan does not skip it.
/// **Who calls it.** Collection, `all_keys`, verification, mark sets that number keys.
pub trait KeyScan: Send + Sync {
    /// Starts a scan.
    fn keys(&self) -> Result<Box<dyn KeyCursor + '_>>;
}

/// A scan under way.
pub trait KeyCursor {
    /// Appends up to `max` further keys to `batch`; none appended means the end.
    fn next_batch(&mut self, batch: &mut Vec<KeyEntry>, max: usize) -> Result<()>;
}
