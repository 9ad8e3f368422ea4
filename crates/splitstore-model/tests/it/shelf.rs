//! A tier that is one map behind one of loom's locks: each call is one step.

use std::collections::BTreeMap;
use std::sync::Arc;

use loom::sync::Mutex;
use splitstore_domain::{BlockKey, ByteCount};
use splitstore_ports::cid::Cid;
use splitstore_ports::{
    Block, BlockDelete, BlockRead, BlockWrite, ColdStore, Doomed, HotStore, Interrupt, KeyCursor, KeyEntry,
    KeyRange, KeyScan, Maintenance, Notes, RangeRewrite, Result, RewriteRange,
};

/// Data by key, with codecs; each put makes a version of its own.
type Blocks = BTreeMap<BlockKey, (u64, Arc<[u8]>)>;

/// Blocks, notes in the order in which they came, and a block that rewrites pass over.
#[derive(Default)]
pub(crate) struct Shelf(Mutex<Blocks>, std::sync::Mutex<Vec<Vec<u8>>>, std::sync::OnceLock<BlockKey>);

impl Shelf {
    fn with<T>(&self, work: impl FnOnce(&mut Blocks) -> T) -> T {
        work(&mut self.0.lock().expect("loom poisons nothing"))
    }

    /// From now on a rewrite says that it is done, and has not asked about this block.
    pub(crate) fn passes_over(&self, cid: &Cid) {
        self.2.set(BlockKey::from(cid)).expect("one block is enough");
    }

    pub(crate) fn holds(&self, cid: &Cid) -> bool {
        self.with(|blocks| blocks.contains_key(&BlockKey::from(cid)))
    }

    fn data(&self, cid: &Cid) -> Option<Arc<[u8]>> {
        self.with(|blocks| blocks.get(&BlockKey::from(cid)).map(|(_, data)| data.clone()))
    }
}

impl BlockRead for Shelf {
    fn view(&self, cid: &Cid, read: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let data = self.data(cid);
        Ok(data.map(|data| read(&data)).is_some())
    }

    fn view_many(&self, cids: &[Cid], read: &mut dyn FnMut(usize, &[u8])) -> Result<()> {
        let all = self.with(|blocks| {
            cids.iter().map(|cid| blocks.get(&BlockKey::from(cid)).cloned()).collect::<Vec<_>>()
        });
        for (index, found) in all.into_iter().enumerate() {
            if let Some((_, data)) = found {
                read(index, &data);
            }
        }
        Ok(())
    }

    fn has(&self, cid: &Cid) -> Result<bool> {
        Ok(self.holds(cid))
    }

    fn size(&self, cid: &Cid) -> Result<Option<u64>> {
        Ok(self.data(cid).map(|data| data.len() as u64))
    }
}

impl BlockWrite for Shelf {
    fn put_many(&self, new: &[Block<'_>]) -> Result<()> {
        self.with(|blocks| {
            blocks.extend(
                new.iter().map(|Block { cid, data }| (BlockKey::from(cid), (cid.codec(), Arc::from(*data)))),
            );
        });
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }
}

impl BlockDelete for Shelf {
    fn delete_many(&self, keys: &[BlockKey]) -> Result<()> {
        self.with(|blocks| blocks.retain(|key, _| !keys.contains(key)));
        Ok(())
    }
}

impl KeyScan for Shelf {
    fn keys(&self) -> Result<Box<dyn KeyCursor + '_>> {
        let entry = |(key, (codec, data)): (&BlockKey, &(u64, Arc<[u8]>))| KeyEntry {
            key: key.clone(),
            codec: *codec,
            size: data.len() as u64,
        };
        Ok(Box::new(Cursor(self.with(|blocks| blocks.iter().map(entry).rev().collect()))))
    }
}

/// Entries still to come, last first.
struct Cursor(Vec<KeyEntry>);

impl KeyCursor for Cursor {
    fn next_batch(&mut self, batch: &mut Vec<KeyEntry>, max: usize) -> Result<()> {
        let from = self.0.len().saturating_sub(max);
        batch.extend(self.0.drain(from..).rev());
        Ok(())
    }
}

/// No step of their own: no interleaving reads notes, that is the simulator's part.
impl Notes for Shelf {
    fn put_many_noting(&self, new: &[Block<'_>], note: &[u8]) -> Result<()> {
        self.1.lock().expect("nobody panics under it").push(note.to_vec());
        self.put_many(new)
    }

    fn notes(&self, read: &mut dyn FnMut(&[u8])) -> Result<()> {
        for note in &*self.1.lock().expect("nobody panics under it") {
            read(note);
        }
        Ok(())
    }

    fn clear_notes(&self) -> Result<()> {
        self.1.lock().expect("nobody panics under it").clear();
        Ok(())
    }
}

/// Decides in one step and lets it take effect in another: what happens in between is what rewriting is about.
impl RangeRewrite for Shelf {
    fn ranges(&self) -> Result<Vec<RewriteRange>> {
        Ok(vec![RewriteRange { keys: KeyRange::default(), reads: ByteCount(0), needs: ByteCount(0) }])
    }

    fn rewrite(&self, _range: &KeyRange, doomed: Arc<dyn Doomed>, _interrupt: &Interrupt) -> Result<()> {
        let all = self.with(|blocks| {
            blocks.iter().map(|(key, (_, data))| (key.clone(), data.clone())).collect::<Vec<_>>()
        });
        let asks = all.into_iter().filter(|(key, _)| self.2.get() != Some(key));
        let gone: Vec<_> = asks.filter(|(key, _)| doomed.is_doomed(key.as_bytes())).collect();
        loom::thread::yield_now();
        self.with(|blocks| {
            for (key, version) in &gone {
                if blocks.get(key).is_some_and(|(_, data)| Arc::ptr_eq(data, version)) {
                    blocks.remove(key);
                }
            }
        });
        Ok(())
    }
}

impl HotStore for Shelf {
    fn maintenance(&self) -> Option<&dyn Maintenance> {
        None
    }

    fn range_rewrite(&self) -> Option<&dyn RangeRewrite> {
        Some(self)
    }
}

impl ColdStore for Shelf {
    fn maintenance(&self) -> Option<&dyn Maintenance> {
        None
    }

    fn deletion(&self) -> Option<&dyn BlockDelete> {
        Some(self)
    }
}
