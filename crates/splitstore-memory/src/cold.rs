//! A cold store in memory: a [`MemoryStore`] that checks what it reads.

use cid::Cid;
use splitstore_domain::BlockKey;
use splitstore_domain::digest::{self, DigestError};
use splitstore_ports::{
    Block, BlockDelete, BlockRead, BlockWrite, ColdStore, ErrorKind, KeyCursor, KeyScan, Maintenance,
    PortError, Result,
};

use crate::MemoryStore;

/// The cold tier in memory. It takes any data and checks it when it is read, as an archive does that was
/// damaged after it was written.
#[derive(Debug, Clone, Default)]
pub struct MemoryCold {
    store: MemoryStore,
}

impl MemoryCold {
    /// The cold tier over these blocks.
    pub const fn new(store: MemoryStore) -> Self {
        Self { store }
    }

    /// The blocks, unchecked: to crash, count or damage them.
    pub const fn store(&self) -> &MemoryStore {
        &self.store
    }

    /// Another store that holds now what this one holds, and goes its own way.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self { store: self.store.fork() }
    }

    /// Loses every call that no sync followed.
    pub fn crash(&self) {
        self.store.crash();
    }
}

impl BlockRead for MemoryCold {
    fn view(&self, cid: &Cid, read: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let data = self.store.data(cid);
        if let Some(data) = &data {
            digest::verify(cid, data).map_err(|error| refused(cid, error))?;
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
        self.store.has(cid)
    }

    fn size(&self, cid: &Cid) -> Result<Option<u64>> {
        self.store.size(cid)
    }
}

impl BlockWrite for MemoryCold {
    fn put_many(&self, blocks: &[Block<'_>]) -> Result<()> {
        self.store.put_many(blocks)
    }

    fn sync(&self) -> Result<()> {
        self.store.sync()
    }
}

impl BlockDelete for MemoryCold {
    fn delete_many(&self, keys: &[BlockKey]) -> Result<()> {
        self.store.delete_many(keys)
    }
}

impl KeyScan for MemoryCold {
    fn keys(&self) -> Result<Box<dyn KeyCursor + '_>> {
        self.store.keys()
    }
}

impl ColdStore for MemoryCold {
    fn maintenance(&self) -> Option<&dyn Maintenance> {
        Some(&self.store)
    }

    fn deletion(&self) -> Option<&dyn BlockDelete> {
        Some(self)
    }
}

fn refused(cid: &Cid, error: DigestError) -> PortError {
    let kind = match error {
        DigestError::Unsupported { .. } => ErrorKind::Unsupported,
        _ => ErrorKind::Corrupt,
    };
    PortError::new(kind, format!("read block {cid} from cold memory"), error)
}
