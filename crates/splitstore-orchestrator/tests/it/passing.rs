//! A hot tier that says that it has rewritten a range, and has passed over some of its keys: as an engine does that takes
//! a file for its own work, or that loses what it has written.

use std::sync::Arc;

use splitstore_domain::{BlockKey, ByteCount};
use splitstore_memory::{Failing, MemoryStore};
use splitstore_ports::cid::Cid;
use splitstore_ports::{
    Block, BlockDelete, BlockRead, BlockScan, BlockWrite, Doomed, HotStore, Interrupt, KeyCursor, KeyRange,
    KeyScan, LinkNotes, Maintenance, Notes, RangeRewrite, Result, RewriteRange,
};

/// Which keys it passes over.
pub(crate) type Passes = fn(&[u8]) -> bool;

/// Whether it asks about the keys that it passes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asking {
    Never,
    InVain,
}

/// A tier in memory that passes over keys.
pub(crate) struct Passing {
    pub(crate) inner: Arc<Failing<MemoryStore>>,
    pub(crate) over: Passes,
    pub(crate) asking: Asking,
}

/// Asks on behalf of all keys but those.
struct Asks(Arc<dyn Doomed>, Passes, Asking);

impl Doomed for Asks {
    fn is_doomed(&self, key: &[u8]) -> bool {
        let is_passed_over = (self.1)(key);
        let goes = (!is_passed_over || self.2 == Asking::InVain) && self.0.is_doomed(key);
        goes && !is_passed_over
    }
}

impl RangeRewrite for Passing {
    fn ranges(&self) -> Result<Vec<RewriteRange>> {
        self.inner.ranges()
    }

    /// Of four keys each.
    fn small_ranges(&self) -> Result<Vec<RewriteRange>> {
        let mut keys = Vec::new();
        self.inner.keys()?.next_batch(&mut keys, usize::MAX)?;
        let cuts = keys.iter().skip(4).step_by(4).map(|entry| Some(entry.key.as_bytes().to_vec()));
        let mut from = None;
        let range = |to: Option<Vec<u8>>| {
            let keys = KeyRange { from: std::mem::replace(&mut from, to.clone()), to };
            RewriteRange { keys, reads: ByteCount(1), needs: ByteCount(1) }
        };
        Ok(cuts.chain([None]).map(range).collect())
    }

    fn rewrite(&self, range: &KeyRange, doomed: Arc<dyn Doomed>, interrupt: &Interrupt) -> Result<()> {
        self.inner.rewrite(range, Arc::new(Asks(doomed, self.over, self.asking)), interrupt)
    }
}

impl HotStore for Passing {
    fn maintenance(&self) -> Option<&dyn Maintenance> {
        self.inner.maintenance()
    }

    fn block_scan(&self) -> Option<&dyn BlockScan> {
        self.inner.block_scan()
    }

    fn link_notes(&self) -> Option<&dyn LinkNotes> {
        self.inner.link_notes()
    }

    fn range_rewrite(&self) -> Option<&dyn RangeRewrite> {
        Some(self)
    }
}

impl BlockRead for Passing {
    fn view(&self, cid: &Cid, read: &mut dyn FnMut(&[u8])) -> Result<bool> {
        self.inner.view(cid, read)
    }

    fn view_many(&self, cids: &[Cid], read: &mut dyn FnMut(usize, &[u8])) -> Result<()> {
        self.inner.view_many(cids, read)
    }

    fn has(&self, cid: &Cid) -> Result<bool> {
        self.inner.has(cid)
    }

    fn size(&self, cid: &Cid) -> Result<Option<u64>> {
        self.inner.size(cid)
    }
}

impl BlockWrite for Passing {
    fn put_many(&self, blocks: &[Block<'_>]) -> Result<()> {
        self.inner.put_many(blocks)
    }

    fn sync(&self) -> Result<()> {
        self.inner.sync()
    }
}

impl BlockDelete for Passing {
    fn delete_many(&self, keys: &[BlockKey]) -> Result<()> {
        self.inner.delete_many(keys)
    }
}

impl KeyScan for Passing {
    fn keys(&self) -> Result<Box<dyn KeyCursor + '_>> {
        self.inner.keys()
    }
}

impl Notes for Passing {
    fn put_many_noting(&self, blocks: &[Block<'_>], note: &[u8]) -> Result<()> {
        self.inner.put_many_noting(blocks, note)
    }

    fn notes(&self, read: &mut dyn FnMut(&[u8])) -> Result<()> {
        self.inner.notes(read)
    }

    fn clear_notes(&self) -> Result<()> {
        self.inner.clear_notes()
    }
}
