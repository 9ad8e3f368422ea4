//! A hot store in memory that forgets at a crash what was not synced.

use std::collections::HashMap;
use std::sync::Arc;

use cid::Cid;
use parking_lot::RwLock;
use splitstore_domain::{BlockKey, ByteCount};
use splitstore_ports::{
    Block, BlockDelete, BlockRead, BlockScan, BlockSnapshot, BlockWrite, Doomed, HotStore, Interrupt,
    KeyCursor, KeyRange, KeyScan, LinkNotes, Maintenance, Notes, RangeRewrite, ReclaimMode, Reclaimed,
    Result, RewriteRange,
};

use crate::MemoryCold;
use crate::cursor::{Moment, Snapshot};
use crate::image::{Entry, Image, Unsynced};

/// A store in memory. Clones are handles on the same blocks.
///
/// Data is shown as it was put, unchecked, as fast engines do; the tier that checks is [`MemoryCold`]. Callbacks
/// run without a lock. Deleted blocks count in the size on disk until a reclaim.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    image: Arc<RwLock<Image>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store for the hot tier.
    pub fn hot() -> Self {
        Self::default()
    }

    /// An empty store for the cold tier.
    pub fn cold() -> MemoryCold {
        MemoryCold::new(Self::default())
    }

    /// Another store that holds now what this one holds, and goes its own way.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self { image: Arc::new(RwLock::new(self.image.read().clone())) }
    }

    /// Loses every call that no sync followed.
    pub fn crash(&self) {
        self.crash_keeping(0);
    }

    /// Keeps the first `calls` of the calls that no sync followed, and loses the later ones: what a disk may
    /// have written on its own.
    pub fn crash_keeping(&self, calls: usize) {
        self.image.write().crash_keeping(calls);
    }

    /// How many calls a crash would lose.
    pub fn unsynced_calls(&self) -> usize {
        self.image.read().unsynced_calls()
    }

    /// Puts other data under a key, durably, as a failing disk would; whether the block was there.
    pub fn damage(&self, key: &BlockKey, data: &[u8]) -> bool {
        self.image.write().damage(key, data)
    }

    /// How many blocks it shows.
    pub fn len(&self) -> usize {
        self.image.read().snapshot().len()
    }

    /// Whether it shows no block.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The block's data, taken out from under the lock.
    pub(crate) fn data(&self, cid: &Cid) -> Option<Arc<[u8]>> {
        let key = BlockKey::from(cid);
        self.image.read().get(&key).map(|entry| Arc::clone(&entry.data))
    }
}

impl BlockRead for MemoryStore {
    fn view(&self, cid: &Cid, read: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let data = self.data(cid);
        if let Some(data) = &data {
            read(data);
        }
        Ok(data.is_some())
    }

    fn view_many(&self, cids: &[Cid], read: &mut dyn FnMut(usize, &[u8])) -> Result<()> {
        for (index, cid) in cids.iter().enumerate() {
            self.view(cid, &mut |data| read(index, data))?;
        }
        Ok(())
    }

    fn has(&self, cid: &Cid) -> Result<bool> {
        Ok(self.data(cid).is_some())
    }

    fn size(&self, cid: &Cid) -> Result<Option<u64>> {
        Ok(self.data(cid).map(|data| data.len() as u64))
    }
}

impl BlockWrite for MemoryStore {
    fn put_many(&self, blocks: &[Block<'_>]) -> Result<()> {
        self.image.write().write(Unsynced::Put(entries(blocks)));
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        self.image.write().sync();
        Ok(())
    }
}

impl BlockDelete for MemoryStore {
    fn delete_many(&self, keys: &[BlockKey]) -> Result<()> {
        self.image.write().write(Unsynced::Delete(keys.to_vec()));
        Ok(())
    }
}

impl KeyScan for MemoryStore {
    fn keys(&self) -> Result<Box<dyn KeyCursor + '_>> {
        Ok(Box::new(Snapshot::of(self.image.read().snapshot())))
    }
}

impl Notes for MemoryStore {
    fn put_many_noting(&self, blocks: &[Block<'_>], note: &[u8]) -> Result<()> {
        self.image.write().write(Unsynced::Note(entries(blocks), note.into()));
        Ok(())
    }

    fn notes(&self, read: &mut dyn FnMut(&[u8])) -> Result<()> {
        // Out from under the lock: the callback may read.
        let notes = self.image.read().notes();
        for note in &notes {
            read(note);
        }
        Ok(())
    }

    fn clear_notes(&self) -> Result<()> {
        self.image.write().write(Unsynced::ClearNotes);
        Ok(())
    }
}

impl LinkNotes for MemoryStore {
    fn put_many_linked(&self, blocks: &[Block<'_>], links: &[u8], marks: Option<&[u8]>) -> Result<()> {
        let (entries, links, marks) = (entries(blocks), links.into(), marks.map(Into::into));
        self.image.write().write(Unsynced::Linked { entries, links, marks });
        Ok(())
    }

    fn each_link_note(&self, read: &mut dyn FnMut(u64, &[u8])) -> Result<()> {
        let notes = self.image.read().link_notes();
        for (number, note) in &notes {
            read(*number, note);
        }
        Ok(())
    }

    fn clear_link_notes(&self, end: u64) -> Result<()> {
        self.image.write().write(Unsynced::ClearLinkNotes(end));
        Ok(())
    }
}

fn entries(blocks: &[Block<'_>]) -> Vec<(BlockKey, Entry)> {
    let entry = |block: &Block<'_>| Entry { codec: block.cid.codec(), data: block.data.into() };
    blocks.iter().map(|block| (BlockKey::from(&block.cid), entry(block))).collect()
}

impl BlockScan for MemoryStore {
    fn snapshot(&self) -> Result<Box<dyn BlockSnapshot + '_>> {
        Ok(Box::new(Moment::of(&self.image.read().snapshot())))
    }
}

/// Keys in a range at least: few, so that small stores have several. Large ones have eight.
const RANGE: usize = 16;
const RANGES: usize = 8;

impl RangeRewrite for MemoryStore {
    fn ranges(&self) -> Result<Vec<RewriteRange>> {
        let blocks = self.image.read().snapshot();
        let each = RANGE.max(blocks.len().div_ceil(RANGES));
        let cuts = blocks.keys().skip(each).step_by(each).map(|key| key.as_bytes().to_vec());
        let (mut ranges, mut from) = (Vec::new(), None);
        for to in cuts.map(Some).chain([None]) {
            let keys = KeyRange { from: std::mem::replace(&mut from, to.clone()), to };
            let inside = blocks.iter().filter(|(key, _)| keys.holds(key.as_bytes()));
            let bytes = ByteCount(inside.map(|(_, entry)| entry.data.len() as u64).sum());
            ranges.push(RewriteRange { keys, reads: bytes, needs: bytes });
        }
        Ok(ranges)
    }

    /// Decides on what is there now, and lets it take effect later, as engines do that write new files meanwhile.
    fn rewrite(&self, range: &KeyRange, doomed: Arc<dyn Doomed>, interrupt: &Interrupt) -> Result<()> {
        interrupt.check("rewrite a memory store")?;
        let blocks = self.image.read().snapshot();
        let inside = blocks.iter().filter(|(key, _)| range.holds(key.as_bytes()));
        let gone = inside.filter(|(key, _)| doomed.is_doomed(key.as_bytes()));
        let gone: HashMap<_, _> = gone.map(|(key, entry)| (key.clone(), Arc::clone(&entry.data))).collect();
        drop(blocks);
        self.image.write().remove_versions(&gone);
        Ok(())
    }
}

impl HotStore for MemoryStore {
    fn maintenance(&self) -> Option<&dyn Maintenance> {
        Some(self)
    }

    fn block_scan(&self) -> Option<&dyn BlockScan> {
        Some(self)
    }

    fn link_notes(&self) -> Option<&dyn LinkNotes> {
        Some(self)
    }

    fn range_rewrite(&self) -> Option<&dyn RangeRewrite> {
        Some(self)
    }
}

impl Maintenance for MemoryStore {
    fn size_on_disk(&self) -> Result<ByteCount> {
        Ok(ByteCount(self.image.read().bytes()))
    }

    fn reclaim(&self, _mode: ReclaimMode, interrupt: &Interrupt) -> Result<Reclaimed> {
        interrupt.check("reclaim a memory store")?;
        let mut image = self.image.write();
        let before = ByteCount(image.bytes());
        image.reclaim();
        Ok(Reclaimed { before, after: ByteCount(image.bytes()) })
    }

    fn full_reclaim_needs(&self) -> Result<ByteCount> {
        Ok(ByteCount(0))
    }
}
