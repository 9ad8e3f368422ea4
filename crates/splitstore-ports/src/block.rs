//! Blocks by CID: read, write, delete.
//!
//! A block is found by its multihash alone: CIDs of other versions or codecs over the same multihash name the
//! same block. Identity and unitary CIDs are the orchestrator's business and MUST NOT be passed in; an
//! adapter MAY store them like any other.

use cid::Cid;
use splitstore_domain::BlockKey;

use crate::Result;

/// A block on its way into a store.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    /// Its name. The store does not hash: who writes has checked, or has just computed it.
    pub cid: Cid,
    /// Its data.
    pub data: &'a [u8],
}

/// Reading blocks.
///
/// **Contract.** What a returned `put_many` wrote is found, byte for byte, until it is deleted. Absence is
/// `false`, `None` or a callback that is not made; it is never an error.
/// **Durability.** None asked: a reader MAY see what a crash would still lose.
/// **Concurrency.** Any number of readers beside one another and beside writers; no reader waits for a
/// writer's disk. A callback MAY read from the same store.
/// **Errors.** `Corrupt` where the engine knows that data is damaged; an adapter whose engine does not check
/// its data (redb) MUST check the data against the CID on every read.
/// **Who calls it.** The orchestrator's two-tier reads, its walker, transfer, verification.
pub trait BlockRead: Send + Sync {
    /// Shows the block's data to `read`, without a copy where the engine can; returns whether it was there.
    fn view(&self, cid: &Cid, read: &mut dyn FnMut(&[u8])) -> Result<bool>;

    /// Shows each block that is there with its index in `cids`, in any order, at most once each.
    ///
    /// The batched read: an adapter SHOULD read in the order of its own keys, and in one snapshot or transaction where
    /// those cost something. It MAY show blocks of different moments.
    fn view_many(&self, cids: &[Cid], read: &mut dyn FnMut(usize, &[u8])) -> Result<()>;

    /// Whether the block is there.
    fn has(&self, cid: &Cid) -> Result<bool>;

    /// The length of its data in bytes.
    fn size(&self, cid: &Cid) -> Result<Option<u64>>;
}

/// Writing blocks.
///
/// **Contract.** A call writes all of its blocks or, when it fails or the process dies in it, none or all:
/// never a part. Writing a block that is there is no error; the codec kept for it is that of one of the puts.
/// **Durability.** After `sync` returns, everything that any returned `put_many` or `delete_many` did is on
/// disk. Before that a crash MAY lose whole calls, the latest first.
/// **Concurrency.** Writers MAY be serialised among themselves.
/// **Errors.** `Full` leaves the store as it was and readable. After a failed `sync` the adapter refuses
/// writes until it is reopened: what the kernel dropped once it will not write on a second try.
/// **Who calls it.** The orchestrator's write path, transfer.
pub trait BlockWrite: Send + Sync {
    /// Writes blocks as one atomic batch.
    fn put_many(&self, blocks: &[Block<'_>]) -> Result<()>;

    /// Makes everything written so far durable.
    fn sync(&self) -> Result<()>;
}

/// Deleting blocks.
///
/// **Contract.** After it returns none of the keys is found. Keys that are not there are skipped. Atomic as
/// `put_many` is.
/// **Durability.** As for writes: durable after `sync`.
/// **Concurrency.** A `view` under way keeps its data until its callback returns.
/// **Errors.** As for writes.
/// **Who calls it.** Purge, and nothing else.
pub trait BlockDelete: Send + Sync {
    /// Deletes the blocks of these keys.
    fn delete_many(&self, keys: &[BlockKey]) -> Result<()>;
}
