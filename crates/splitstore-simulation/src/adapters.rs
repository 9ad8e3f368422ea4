//! The memory adapters behind the [`Wire`].

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cid::Cid;
use splitstore_domain::object::RAW;
use splitstore_domain::{BlockKey, ByteCount};
use splitstore_memory::{MemoryClock, MemoryCold, MemoryFiles, MemoryMeta, MemoryStore};
use splitstore_ports::{
    Block, BlockDelete, BlockRead, BlockScan, BlockSnapshot, BlockWrite, ColdStore, Doomed, FileSystem,
    FileWrite, HotStore, Interrupt, KeyCursor, KeyRange, KeyScan, LinkNotes, Maintenance, MetaCell,
    MetaStore, Notes, RangeRewrite, Result, RewriteRange,
};

use crate::Lie;
use crate::rewriting::{Asks, Told};
use crate::wire::{Port, REWRITE, Wire, place_to_hold};

/// A tier.
pub(crate) struct Tier<T> {
    inner: T,
    port: Port,
    wire: Wire,
    lie: Option<Lie>,
    puts: AtomicU64,
    lag: Lag,
    asks: Asks,
}

/// How long each call lasts.
#[derive(Clone, Default)]
pub(crate) struct Lag {
    pub(crate) clock: MemoryClock,
    pub(crate) time: Duration,
}

impl<T> Tier<T> {
    pub(crate) fn new(inner: T, port: Port, wire: &Wire, lie: Option<Lie>, lag: Lag) -> Self {
        Self { inner, port, wire: wire.clone(), lie, puts: AtomicU64::new(0), lag, asks: Asks::AboutAll }
    }

    /// The same with rewrites that ask about these.
    pub(crate) fn asking(self, asks: Asks) -> Self {
        Self { asks, ..self }
    }

    fn effect(&self, what: &str) -> Result<()> {
        self.lag.clock.advance(self.lag.time);
        self.wire.effect(self.port, what)
    }

    fn read(&self, what: &str) -> Result<()> {
        self.lag.clock.advance(self.lag.time);
        self.wire.read(self.port, what)
    }

    fn lies(&self, port: Port, lie: Lie) -> bool {
        self.port == port && self.lie == Some(lie)
    }
}

impl<T> Tier<T> {
    /// Writes blocks, or what the lie makes of them.
    fn write(&self, blocks: &[Block<'_>], put: impl Fn(&[Block<'_>]) -> Result<()>) -> Result<()> {
        let nth = self.puts.fetch_add(1, Ordering::Relaxed);
        if self.lies(Port::Hot, Lie::LosesWrites) && nth % 8 == 7 {
            return Ok(());
        }
        if self.lies(Port::Hot, Lie::BendsBytes) {
            let bent: Vec<Vec<u8>> = blocks.iter().map(|block| [block.data, &[0]].concat()).collect();
            let bent = blocks.iter().zip(&bent).map(|(block, data)| Block { cid: block.cid, data });
            return put(&bent.collect::<Vec<_>>());
        }
        put(blocks)
    }
}

impl<T: BlockRead> BlockRead for Tier<T> {
    fn view(&self, cid: &Cid, read: &mut dyn FnMut(&[u8])) -> Result<bool> {
        place_to_hold();
        self.read("view")?;
        let found = self.inner.view(cid, read);
        place_to_hold();
        found
    }

    fn view_many(&self, cids: &[Cid], read: &mut dyn FnMut(usize, &[u8])) -> Result<()> {
        place_to_hold();
        self.read("view_many")?;
        let shown = self.inner.view_many(cids, read);
        place_to_hold();
        shown
    }

    fn has(&self, cid: &Cid) -> Result<bool> {
        place_to_hold();
        self.read("has")?;
        let found = self.inner.has(cid);
        place_to_hold();
        found
    }

    fn size(&self, cid: &Cid) -> Result<Option<u64>> {
        place_to_hold();
        self.read("size")?;
        let found = self.inner.size(cid);
        place_to_hold();
        found
    }
}

impl<T: BlockWrite> BlockWrite for Tier<T> {
    fn put_many(&self, blocks: &[Block<'_>]) -> Result<()> {
        self.effect("put")?;
        self.write(blocks, |blocks| self.inner.put_many(blocks))?;
        self.wire.has_put(self.port, blocks.iter().map(|block| BlockKey::from(&block.cid)));
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        self.effect("sync")?;
        let lies = self.lies(Port::Hot, Lie::HotSyncsNothing) || self.lies(Port::Cold, Lie::ColdSyncsNothing);
        if !lies {
            self.inner.sync()?;
        }
        self.wire.has_synced(self.port);
        Ok(())
    }
}

impl<T: BlockRead + BlockDelete + KeyScan> BlockDelete for Tier<T> {
    fn delete_many(&self, keys: &[BlockKey]) -> Result<()> {
        self.effect("delete")?;
        if self.lies(Port::Hot, Lie::DeletesNothing) {
            return Ok(());
        }
        let mut keys = keys.to_vec();
        if self.lies(Port::Hot, Lie::DeletesMore) {
            let mut first = Vec::new();
            self.inner.keys()?.next_batch(&mut first, 1)?;
            keys.extend(first.into_iter().map(|entry| entry.key));
        }
        // A purge that goes on from its cursor deletes again what is gone: nobody loses it by that.
        let is_there = |key: &&BlockKey| self.inner.has(&key.to_cid(RAW)).unwrap_or(true);
        let there: Vec<BlockKey> = keys.iter().filter(is_there).cloned().collect();
        self.wire.deletes(&there);
        self.inner.delete_many(&keys)
    }
}

impl<T: KeyScan> KeyScan for Tier<T> {
    fn keys(&self) -> Result<Box<dyn KeyCursor + '_>> {
        self.read("keys")?;
        self.inner.keys()
    }
}

impl Notes for Tier<MemoryStore> {
    fn put_many_noting(&self, blocks: &[Block<'_>], note: &[u8]) -> Result<()> {
        self.effect("put")?;
        self.write(blocks, |blocks| self.inner.put_many_noting(blocks, note))?;
        self.wire.has_put(self.port, blocks.iter().map(|block| BlockKey::from(&block.cid)));
        Ok(())
    }

    fn notes(&self, read: &mut dyn FnMut(&[u8])) -> Result<()> {
        self.read("notes")?;
        self.inner.notes(read)
    }

    fn clear_notes(&self) -> Result<()> {
        self.effect("clear")?;
        self.inner.clear_notes()
    }
}

impl LinkNotes for Tier<MemoryStore> {
    fn put_many_linked(&self, blocks: &[Block<'_>], links: &[u8], marks: Option<&[u8]>) -> Result<()> {
        self.effect("put")?;
        self.write(blocks, |blocks| self.inner.put_many_linked(blocks, links, marks))?;
        self.wire.has_put(self.port, blocks.iter().map(|block| BlockKey::from(&block.cid)));
        Ok(())
    }

    fn each_link_note(&self, read: &mut dyn FnMut(u64, &[u8])) -> Result<()> {
        self.read("notes")?;
        self.inner.each_link_note(read)
    }

    fn clear_link_notes(&self, end: u64) -> Result<()> {
        self.effect("clear")?;
        self.inner.clear_link_notes(end)
    }
}

impl BlockScan for Tier<MemoryStore> {
    fn snapshot(&self) -> Result<Box<dyn BlockSnapshot + '_>> {
        self.read("snapshot")?;
        self.inner.snapshot()
    }
}

impl RangeRewrite for Tier<MemoryStore> {
    fn ranges(&self) -> Result<Vec<RewriteRange>> {
        self.read("ranges")?;
        self.inner.ranges()
    }

    fn rewrite(&self, range: &KeyRange, doomed: Arc<dyn Doomed>, interrupt: &Interrupt) -> Result<()> {
        self.effect(REWRITE)?;
        if self.lies(Port::Hot, Lie::DeletesNothing) {
            return Ok(());
        }
        self.wire.reach("rewrite: begins");
        // Who takes a turn in the middle is told what goes, and to learn that is to ask about all.
        let asks = if self.wire.is_interrupted() { Asks::AboutAll } else { self.asks };
        let told = Arc::new(Told::new(doomed, &self.wire, &self.inner, range, asks));
        self.inner.rewrite(range, told.clone(), interrupt)?;
        let outcome = told.outcome();
        if outcome.is_ok() {
            self.wire.go(Vec::new());
        } else {
            told.tell_what_goes()?;
        }
        outcome
    }
}

impl HotStore for Tier<MemoryStore> {
    fn maintenance(&self) -> Option<&dyn Maintenance> {
        HotStore::maintenance(&self.inner)
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

impl ColdStore for Tier<MemoryCold> {
    fn maintenance(&self) -> Option<&dyn Maintenance> {
        ColdStore::maintenance(&self.inner)
    }

    fn deletion(&self) -> Option<&dyn BlockDelete> {
        self.inner.deletion()
    }
}

/// The meta cells.
pub(crate) struct Cells {
    pub(crate) inner: MemoryMeta,
    pub(crate) wire: Wire,
}

impl MetaStore for Cells {
    fn get(&self, cell: MetaCell) -> Result<Option<Vec<u8>>> {
        self.wire.read(Port::Meta, "get")?;
        self.inner.get(cell)
    }

    fn set_many(&self, values: &[(MetaCell, Vec<u8>)]) -> Result<()> {
        self.wire.effect(Port::Meta, "set")?;
        self.inner.set_many(values)
    }
}

/// The files.
pub(crate) struct Disk {
    pub(crate) inner: MemoryFiles,
    pub(crate) wire: Wire,
}

impl Disk {
    fn effect(&self, what: &str) -> Result<()> {
        self.wire.effect(Port::Files, what)
    }

    fn open_file(&self, file: Box<dyn FileWrite>) -> Box<dyn FileWrite> {
        Box::new(OpenFile { file, wire: self.wire.clone() })
    }
}

impl FileSystem for Disk {
    fn create(&self, path: &Path) -> Result<Box<dyn FileWrite>> {
        self.effect("create")?;
        Ok(self.open_file(self.inner.create(path)?))
    }

    fn append(&self, path: &Path) -> Result<Box<dyn FileWrite>> {
        self.effect("append")?;
        Ok(self.open_file(self.inner.append(path)?))
    }

    fn open(&self, path: &Path) -> Result<Option<Box<dyn Read + Send>>> {
        self.wire.read(Port::Files, "open")?;
        self.inner.open(path)
    }

    fn truncate(&self, path: &Path, len: u64) -> Result<()> {
        self.effect("truncate")?;
        self.inner.truncate(path, len)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.effect("rename")?;
        self.inner.rename(from, to)
    }

    fn remove(&self, path: &Path) -> Result<()> {
        self.effect("remove")?;
        self.inner.remove(path)
    }

    fn create_dir(&self, path: &Path) -> Result<()> {
        self.effect("create_dir")?;
        self.inner.create_dir(path)
    }

    fn remove_dir(&self, path: &Path) -> Result<()> {
        self.effect("remove_dir")?;
        self.inner.remove_dir(path)
    }

    fn list(&self, path: &Path) -> Result<Vec<String>> {
        self.wire.read(Port::Files, "list")?;
        self.inner.list(path)
    }

    fn sync_dir(&self, path: &Path) -> Result<()> {
        self.effect("sync_dir")?;
        self.inner.sync_dir(path)
    }

    fn free_space(&self, path: &Path) -> Result<Option<ByteCount>> {
        let free = self.inner.free_space(path)?;
        if free.is_some() {
            self.wire.excuse();
        }
        Ok(free)
    }
}

struct OpenFile {
    file: Box<dyn FileWrite>,
    wire: Wire,
}

impl Write for OpenFile {
    /// A write that fails has written half: disks fill up in the middle.
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if let Err(error) = self.wire.effect(Port::Files, "write") {
            if !self.wire.is_dead() {
                self.file.write_all(&data[..data.len() / 2])?;
            }
            return Err(io::Error::other(error));
        }
        self.file.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl FileWrite for OpenFile {
    fn sync(&mut self) -> Result<()> {
        self.wire.effect(Port::Files, "sync")?;
        self.file.sync()
    }
}
