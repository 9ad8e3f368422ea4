//! The roots of an archive, before any of it is in the store.

use std::collections::BTreeMap;
use std::path::Path;

use cid::Cid;
use splitstore_domain::object::DAG_CBOR;
use splitstore_domain::{BlockKey, Tipset};
use splitstore_filecoin::{BlockHeader, heaviest_of};
use splitstore_ports::{BlockRead, BlockReadExt, Result as PortResult};

use super::error::ImportError;
use crate::Untracked;

/// Roots as read, in front of what the store holds.
pub(super) struct Roots {
    cids: Vec<Cid>,
    read: BTreeMap<BlockKey, Option<Vec<u8>>>,
    store: Untracked,
}

impl Roots {
    pub(super) fn new(cids: &[Cid], store: Untracked) -> Self {
        let read = cids.iter().map(|cid| (BlockKey::from(cid), None)).collect();
        Self { cids: cids.to_vec(), read, store }
    }

    /// Keeps the block if it is a root.
    pub(super) fn look(&mut self, cid: &Cid, data: &[u8]) {
        if let Some(place) = self.read.get_mut(&BlockKey::from(cid)) {
            *place = Some(data.to_vec());
        }
    }

    /// The tipset they form; `None` if they are no headers. The last block of the archive began at `offset`.
    pub(super) fn head(&self, path: &Path, offset: u64) -> Result<Option<Tipset>, ImportError> {
        let path = || path.to_owned();
        let (mut header, mut other) = (None, None);
        for root in &self.cids {
            let data = self.get(root).map_err(|source| ImportError::BadHead { path: path(), source })?;
            let data = data.ok_or_else(|| ImportError::MissingRoot { path: path(), offset, root: *root })?;
            let is_header = root.codec() == DAG_CBOR && BlockHeader::decode(&data).is_ok();
            let seen = if is_header { &mut header } else { &mut other };
            *seen = Some(*root);
        }
        match (header, other) {
            (Some(header), Some(other)) => Err(ImportError::MixedRoots { path: path(), header, other }),
            (None, _) => Ok(None),
            (Some(_), None) => {
                let head = heaviest_of(&self.cids, self);
                head.map(Some).map_err(|source| ImportError::BadHead { path: path(), source })
            }
        }
    }

    fn root(&self, cid: &Cid) -> Option<&[u8]> {
        self.read.get(&BlockKey::from(cid))?.as_deref()
    }
}

impl BlockRead for Roots {
    fn view(&self, cid: &Cid, read: &mut dyn FnMut(&[u8])) -> PortResult<bool> {
        let Some(data) = self.root(cid) else { return self.store.view(cid, read) };
        read(data);
        Ok(true)
    }

    fn view_many(&self, cids: &[Cid], read: &mut dyn FnMut(usize, &[u8])) -> PortResult<()> {
        for (index, cid) in cids.iter().enumerate() {
            self.view(cid, &mut |data| read(index, data))?;
        }
        Ok(())
    }

    fn has(&self, cid: &Cid) -> PortResult<bool> {
        if self.root(cid).is_some() { Ok(true) } else { self.store.has(cid) }
    }

    fn size(&self, cid: &Cid) -> PortResult<Option<u64>> {
        self.root(cid).map_or_else(|| self.store.size(cid), |data| Ok(Some(data.len() as u64)))
    }
}
