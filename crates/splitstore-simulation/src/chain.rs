//! The node's chain: headers that were made, and a head.

use std::collections::BTreeMap;
use std::sync::Arc;

use cid::Cid;
use parking_lot::Mutex;
use splitstore_domain::{Epoch, HeaderView, Tipset, TipsetKey};
use splitstore_ports::{ChainAccessor, ErrorKind, HeadListener, PortError, Result};

/// The chain of one seed. Headers are known by CID: what a decoder would read is what the maker wrote.
#[derive(Default)]
pub(crate) struct SimChain(Mutex<State>);

#[derive(Default)]
struct State {
    headers: BTreeMap<Cid, HeaderView>,
    keys: BTreeMap<TipsetKey, (Tipset, Option<Cid>)>,
    head: Option<Tipset>,
}

impl SimChain {
    pub(crate) fn know(&self, tipset: Tipset, object: Option<Cid>, headers: Vec<(Cid, HeaderView)>) {
        let mut state = self.0.lock();
        state.headers.extend(headers);
        state.keys.insert(tipset.key.clone(), (tipset, object));
    }

    /// Places the head. The node tells the store itself, to hear what the store decides.
    pub(crate) fn place(&self, head: Tipset) {
        self.0.lock().head = Some(head);
    }
}

impl ChainAccessor for SimChain {
    fn heaviest(&self) -> Result<Option<Tipset>> {
        Ok(self.0.lock().head.clone())
    }

    fn tipset(&self, key: &TipsetKey) -> Result<Option<Tipset>> {
        Ok(self.0.lock().keys.get(key).map(|(tipset, _)| tipset.clone()))
    }

    fn tipset_at(&self, height: Epoch, from: &Tipset) -> Result<Option<Tipset>> {
        let mut at = from.clone();
        while at.height > height {
            match self.tipset(&at.parents)? {
                Some(parent) => at = parent,
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }

    fn header(&self, cid: &Cid, _data: &[u8]) -> Result<HeaderView> {
        let found = self.0.lock().headers.get(cid).cloned();
        found.ok_or_else(|| PortError::bare(ErrorKind::Corrupt, format!("read {cid} as a header")))
    }

    fn key_object(&self, key: &TipsetKey) -> Option<Cid> {
        self.0.lock().keys.get(key)?.1
    }

    fn subscribe(&self, _listener: Arc<dyn HeadListener>) -> Result<()> {
        Ok(())
    }
}
