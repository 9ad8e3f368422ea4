//! The chain as the store is given it: without a way to subscribe.
//!
//! The folder tells the store of head changes itself, to hear its decision and to keep the head for the next open.

use std::sync::Arc;

use cid::Cid;
use splitstore_domain::{Epoch, HeaderView, Tipset, TipsetKey};
use splitstore_filecoin::FilecoinChain;
use splitstore_ports::{ChainAccessor, HeadListener, Result};

pub(super) struct QuietChain(pub(super) Arc<FilecoinChain>);

impl ChainAccessor for QuietChain {
    fn heaviest(&self) -> Result<Option<Tipset>> {
        self.0.heaviest()
    }

    fn tipset(&self, key: &TipsetKey) -> Result<Option<Tipset>> {
        self.0.tipset(key)
    }

    fn tipset_at(&self, height: Epoch, from: &Tipset) -> Result<Option<Tipset>> {
        self.0.tipset_at(height, from)
    }

    fn header(&self, cid: &Cid, data: &[u8]) -> Result<HeaderView> {
        self.0.header(cid, data)
    }

    fn key_object(&self, key: &TipsetKey) -> Option<Cid> {
        self.0.key_object(key)
    }

    fn subscribe(&self, _listener: Arc<dyn HeadListener>) -> Result<()> {
        Ok(())
    }
}
