//! A store whose every call passes a hook first: what [`crate::Failing`] and [`crate::Recording`] have in
//! common.

use std::sync::Arc;

use cid::Cid;
use splitstore_domain::BlockKey;
use splitstore_ports::{
    Block, BlockDelete, BlockRead, BlockScan, BlockSnapshot, BlockWrite, ColdStore, Doomed, ErrorKind,
    HotStore, Interrupt, KeyCursor, KeyRange, KeyScan, LinkNotes, Maintenance, Notes, PortError,
    RangeRewrite, Result, RewriteRange,
};

use crate::Call;

/// Hears of each call before it is made, and may refuse it.
pub trait Hook: Send + Sync {
    /// An error here is the call's answer; the store does not hear of it.
    fn before(&self, call: Call) -> Result<()>;
}

/// A store behind a hook.
///
/// A cold store's maintenance and deletion, and a hot store's maintenance, are the inner store's own: the hook
/// does not hear of them.
#[derive(Debug)]
pub struct Hooked<T, H> {
    inner: T,
    hook: H,
}

impl<T, H> Hooked<T, H> {
    pub(crate) const fn over(inner: T, hook: H) -> Self {
        Self { inner, hook }
    }

    /// The store behind the hook.
    pub const fn inner(&self) -> &T {
        &self.inner
    }

    /// The hook.
    pub const fn hook(&self) -> &H {
        &self.hook
    }
}

impl<T: BlockRead, H: Hook> BlockRead for Hooked<T, H> {
    fn view(&self, cid: &Cid, read: &mut dyn FnMut(&[u8])) -> Result<bool> {
        self.hook.before(Call::View(cid.into()))?;
        self.inner.view(cid, read)
    }

    fn view_many(&self, cids: &[Cid], read: &mut dyn FnMut(usize, &[u8])) -> Result<()> {
        self.hook.before(Call::ViewMany(cids.iter().map(BlockKey::from).collect()))?;
        self.inner.view_many(cids, read)
    }

    fn has(&self, cid: &Cid) -> Result<bool> {
        self.hook.before(Call::Has(cid.into()))?;
        self.inner.has(cid)
    }

    fn size(&self, cid: &Cid) -> Result<Option<u64>> {
        self.hook.before(Call::Size(cid.into()))?;
        self.inner.size(cid)
    }
}

impl<T: BlockWrite, H: Hook> BlockWrite for Hooked<T, H> {
    fn put_many(&self, blocks: &[Block<'_>]) -> Result<()> {
        self.hook.before(Call::Put(blocks.iter().map(|block| (&block.cid).into()).collect()))?;
        self.inner.put_many(blocks)
    }

    fn sync(&self) -> Result<()> {
        self.hook.before(Call::Sync)?;
        self.inner.sync()
    }
}

impl<T: BlockDelete, H: Hook> BlockDelete for Hooked<T, H> {
    fn delete_many(&self, keys: &[BlockKey]) -> Result<()> {
        self.hook.before(Call::Delete(keys.to_vec()))?;
        self.inner.delete_many(keys)
    }
}

impl<T: KeyScan, H: Hook> KeyScan for Hooked<T, H> {
    fn keys(&self) -> Result<Box<dyn KeyCursor + '_>> {
        self.hook.before(Call::Keys)?;
        self.inner.keys()
    }
}

impl<T: Notes, H: Hook> Notes for Hooked<T, H> {
    fn put_many_noting(&self, blocks: &[Block<'_>], note: &[u8]) -> Result<()> {
        self.hook.before(Call::Note(blocks.iter().map(|block| (&block.cid).into()).collect()))?;
        self.inner.put_many_noting(blocks, note)
    }

    fn notes(&self, read: &mut dyn FnMut(&[u8])) -> Result<()> {
        self.hook.before(Call::Notes)?;
        self.inner.notes(read)
    }

    fn clear_notes(&self) -> Result<()> {
        self.hook.before(Call::ClearNotes)?;
        self.inner.clear_notes()
    }
}

impl<T: HotStore, H: Hook> BlockScan for Hooked<T, H> {
    fn snapshot(&self) -> Result<Box<dyn BlockSnapshot + '_>> {
        self.hook.before(Call::Snapshot)?;
        let attempt = "scan the blocks of a store that offers no scans";
        let scan = self.inner.block_scan();
        scan.ok_or_else(|| PortError::bare(ErrorKind::Unsupported, attempt))?.snapshot()
    }
}

impl<T: HotStore, H: Hook> Hooked<T, H> {
    fn linked(&self) -> Result<&dyn LinkNotes> {
        let attempt = "use the notes of links of a store that offers none";
        self.inner.link_notes().ok_or_else(|| PortError::bare(ErrorKind::Unsupported, attempt))
    }
}

impl<T: HotStore, H: Hook> LinkNotes for Hooked<T, H> {
    fn put_many_linked(&self, blocks: &[Block<'_>], links: &[u8], marks: Option<&[u8]>) -> Result<()> {
        self.hook.before(Call::Linked(blocks.iter().map(|block| (&block.cid).into()).collect()))?;
        self.linked()?.put_many_linked(blocks, links, marks)
    }

    fn each_link_note(&self, read: &mut dyn FnMut(u64, &[u8])) -> Result<()> {
        self.hook.before(Call::LinkNotes)?;
        self.linked()?.each_link_note(read)
    }

    fn clear_link_notes(&self, end: u64) -> Result<()> {
        self.hook.before(Call::ClearLinkNotes)?;
        self.linked()?.clear_link_notes(end)
    }
}

impl<T: HotStore, H: Hook> Hooked<T, H> {
    fn rewriting(&self) -> Result<&dyn RangeRewrite> {
        let attempt = "rewrite a store that offers no rewriting";
        self.inner.range_rewrite().ok_or_else(|| PortError::bare(ErrorKind::Unsupported, attempt))
    }
}

impl<T: HotStore, H: Hook> RangeRewrite for Hooked<T, H> {
    fn ranges(&self) -> Result<Vec<RewriteRange>> {
        self.rewriting()?.ranges()
    }

    fn rewrite(&self, range: &KeyRange, doomed: Arc<dyn Doomed>, interrupt: &Interrupt) -> Result<()> {
        self.hook.before(Call::Rewrite)?;
        self.rewriting()?.rewrite(range, doomed, interrupt)
    }
}

impl<T: HotStore, H: Hook> HotStore for Hooked<T, H> {
    fn maintenance(&self) -> Option<&dyn Maintenance> {
        self.inner.maintenance()
    }

    fn block_scan(&self) -> Option<&dyn BlockScan> {
        self.inner.block_scan().is_some().then_some(self)
    }

    fn link_notes(&self) -> Option<&dyn LinkNotes> {
        self.inner.link_notes().is_some().then_some(self)
    }

    fn range_rewrite(&self) -> Option<&dyn RangeRewrite> {
        self.inner.range_rewrite().is_some().then_some(self)
    }
}

impl<T: ColdStore, H: Hook> ColdStore for Hooked<T, H> {
    fn maintenance(&self) -> Option<&dyn Maintenance> {
        self.inner.maintenance()
    }

    fn deletion(&self) -> Option<&dyn BlockDelete> {
        self.inner.deletion()
    }
}
