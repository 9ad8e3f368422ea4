//! A tier that is one map behind one of loom's locks: each call is one step.

use std::collections::BTreeMap;

use loom::sync::Mutex;
use splitstore_domain::BlockKey;
use splitstore_ports::cid::Cid;
use splitstore_ports::{
    Block, BlockDelete, BlockRead, BlockWrite, ColdStore, HotStore, KeyCursor, KeyEntry, KeyScan,
    Maintenance, Notes, Result,
};

type Blocks = BTreeMap<BlockKey, (u64, Vec<u8>)>;

/// Blocks, and notes in the order in which they came.
#[derive(Default)]
pub(crate) struct Shelf(Mutex<Blocks>, std::sync::Mutex<Vec<Vec<u8>>>);

impl Shelf {
    fn with<T>(&self, work: impl FnOnce(&mut Blocks) -> T) -> T {
        work(&mut self.0.lock().expect("loom poisons nothing"))
    }

    pub(crate) fn holds(&self, cid: &Cid) -> bool {
        self.with(|blocks| blocks.contains_key(&BlockKey::from(cid)))
    }

    fn data(&self, cid: &Cid) -> Option<Vec<u8>> {
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
                new.iter().map(|Block { cid, data }| (BlockKey::from(cid), (cid.codec(), data.to_vec()))),
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
        let entry = |(key, (codec, data)): (&BlockKey, &(u64, Vec<u8>))| KeyEntry {
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

impl HotStore for Shelf {
    fn maintenance(&self) -> Option<&dyn Maintenance> {
        None
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
