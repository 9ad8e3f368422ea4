//! What moves, on its way to cold: gathered in key order, checked against its hash, written in large batches.
//!
//! ```text
//!   run's thread     read and check batch 2    | batch 3    |           on one thread, as a simulator wants it:
//!   beside it        write batch 1             | batch 2    |           write 1, read 2, write 2, read 3
//! ```
//! A step ends when both are done, so nothing runs between two steps. Writing takes longer than reading, so whoever gathers can ask
//! whether it goes on, and do something else meanwhile.

use cid::Cid;
use splitstore_domain::digest;
use splitstore_ports::Block;

use super::ordered::Seen;
use crate::error::{Error, Result};
use crate::store::Inner;

/// What an engine writes besides the data: asked of the disk before it is written.
const OVERHEAD_PER_BLOCK: u64 = 300;

/// Blocks on their way: one batch being gathered, one that is full.
#[derive(Default)]
pub(super) struct Copier {
    gathered: Batch,
    full: Batch,
}

/// Blocks that stand one after another in one piece of memory.
#[derive(Default)]
pub(super) struct Batch {
    cids: Vec<(Cid, usize)>,
    data: Vec<u8>,
}

/// On how many threads a transfer works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Threads {
    One,
    Two,
}

impl Threads {
    /// A second thread pays from so many blocks on; a simulator never has them.
    const WORTH: u64 = 64 * 1024;

    pub(super) const fn for_blocks(blocks: u64) -> Self {
        if blocks < Self::WORTH { Self::One } else { Self::Two }
    }
}

impl Copier {
    /// Gathers blocks, and writes the batch that is full, if there is one. `gather` can ask whether that is still being written
    /// beside it.
    pub(super) fn step<T>(
        &mut self,
        cx: &Inner,
        threads: Threads,
        gather: impl FnOnce(&mut Batch, &dyn Fn() -> bool) -> Result<T>,
    ) -> Result<T> {
        let Self { gathered, full } = self;
        let gathering = if full.is_empty() || threads == Threads::One {
            full.write(cx)?;
            gather(gathered, &|| false)
        } else {
            let (written, gathering) = std::thread::scope(|scope| {
                let writing = scope.spawn(|| full.write(cx));
                let gathering = gather(gathered, &|| !writing.is_finished());
                (writing.join().expect("writing to cold does not panic"), gathering)
            });
            written.and(gathering)
        }?;
        full.clear();
        Ok(gathering)
    }

    /// What is gathered is to be written next, if it is enough, or all there will be.
    pub(super) fn turn(&mut self, cx: &Inner, seen: Seen) {
        if seen == Seen::All || self.gathered.is_full(cx) {
            std::mem::swap(&mut self.gathered, &mut self.full);
        }
    }

    /// Makes durable what was written.
    pub(super) fn finish(&mut self, cx: &Inner) -> Result<()> {
        *self = Self::default();
        Ok(cx.tiers.cold.sync()?)
    }

    /// Whether the next step writes.
    pub(super) fn writes(&self) -> bool {
        !self.full.is_empty()
    }

    /// Whether nothing is left to write.
    pub(super) fn is_empty(&self) -> bool {
        self.gathered.is_empty() && self.full.is_empty()
    }
}

impl Batch {
    /// Adds a block of hot whose data hashes to its key.
    pub(super) fn add(&mut self, cid: Cid, data: &[u8]) -> Result<()> {
        digest::verify(&cid, data).map_err(|source| Error::Damaged { cid, source })?;
        self.data.extend_from_slice(data);
        self.cids.push((cid, self.data.len()));
        Ok(())
    }

    pub(super) fn is_full(&self, cx: &Inner) -> bool {
        let most = &cx.options.batches;
        self.cids.len() >= most.transfer_blocks.get() || self.data.len() >= most.transfer_bytes.get()
    }

    fn is_empty(&self) -> bool {
        self.cids.is_empty()
    }

    fn clear(&mut self) {
        self.cids.clear();
        self.data.clear();
    }

    /// Writes all of it as one batch, which stays until it is cleared.
    fn write(&self, cx: &Inner) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        check_space(cx, self.cids.len() as u64, self.data.len() as u64)?;
        let mut begin = 0;
        let block = |(cid, end): &(Cid, usize)| {
            let data = &self.data[begin..*end];
            begin = *end;
            Block { cid: *cid, data }
        };
        let blocks: Vec<Block<'_>> = self.cids.iter().map(block).collect();
        Ok(cx.tiers.cold.put_many(&blocks)?)
    }
}

/// Asks cold's disk for room for so many blocks.
pub(super) fn check_space(cx: &Inner, blocks: u64, bytes: u64) -> Result<()> {
    let need = bytes.saturating_add(blocks.saturating_mul(OVERHEAD_PER_BLOCK));
    match cx.free_for_cold()? {
        Some(free) if free.0 < need => Err(Error::NoSpace { need, have: free.0 }),
        _ => Ok(()),
    }
}
