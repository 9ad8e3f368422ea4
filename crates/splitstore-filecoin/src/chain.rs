//! Filecoin's chain as the store's port sees it.
//!
//! The head is told to it, never searched: by [`FilecoinChain::set_head`], or as a listener of a node.
//!
//! ```text
//!   set_head --> turn (one change at a time) --> head --> listener 1 --> listener 2 ..
//!                                                 ^
//!   heaviest() -----------------------------------+   never waits for a listener
//! ```

use std::mem;
use std::sync::Arc;

use cid::Cid;
use parking_lot::Mutex;
use splitstore_domain::{Epoch, HeadChange, HeaderView, Tipset, TipsetKey};
use splitstore_ports::{BlockRead, ChainAccessor, ErrorKind, HeadListener, PortError, Result};

use crate::ancestors::{Ancestors, Trail};
use crate::{heaviest_of, key_cid, tipset};

/// A Filecoin chain over a block store.
pub struct FilecoinChain {
    blocks: Arc<dyn BlockRead>,
    head: Mutex<Option<Tipset>>,
    /// Held while a change is told, so that all listeners hear all changes in one order.
    turn: Mutex<()>,
    listeners: Mutex<Vec<Arc<dyn HeadListener>>>,
    ancestors: Mutex<Ancestors>,
}

impl FilecoinChain {
    /// A chain without a head over `blocks`.
    pub fn new(blocks: Arc<dyn BlockRead>) -> Self {
        Self {
            blocks,
            head: Mutex::default(),
            turn: Mutex::default(),
            listeners: Mutex::default(),
            ancestors: Mutex::default(),
        }
    }

    /// A chain whose head is what the roots of an archive say; errors as for [`heaviest_of`].
    pub fn with_roots(blocks: Arc<dyn BlockRead>, roots: &[Cid]) -> Result<Self> {
        let head = heaviest_of(roots, &*blocks)?;
        let chain = Self::new(blocks);
        *chain.head.lock() = Some(head);
        Ok(chain)
    }

    /// Moves the head and tells the listeners, in the order they subscribed, before it returns.
    ///
    /// The head becomes the last tipset applied, or what the last reverted one was built on if none is
    /// applied. An empty change does nothing. A listener may read the chain, but must not move the head: it
    /// would wait for itself.
    ///
    /// Errors: the head stays where it was if a new head is not there. If listeners fail, the head has moved,
    /// all of them were called, and the first error is returned.
    pub fn set_head(&self, change: &HeadChange) -> Result<()> {
        let _turn = self.turn.lock();
        if *change == HeadChange::default() {
            return Ok(());
        }
        let head = self.head_after(change)?;
        *self.head.lock() = head;
        let listeners = self.listeners.lock().clone();
        let mut told = Ok(());
        for listener in listeners {
            told = told.and(listener.head_changed(change));
        }
        told
    }

    /// The head that `change` leads to: `None` once genesis is reverted.
    fn head_after(&self, change: &HeadChange) -> Result<Option<Tipset>> {
        match (change.apply.last(), change.revert.last()) {
            (Some(head), _) => Ok(Some(head.clone())),
            (None, Some(lowest)) if !lowest.parents.is_empty() => self.parent_of(lowest).map(Some),
            (None, _) => Ok(None),
        }
    }

    fn parent_of(&self, child: &Tipset) -> Result<Tipset> {
        let broken = |why: &str| {
            let Tipset { height, key, parents, .. } = child;
            let attempt = format!("read parents {parents} of tipset {key} at height {height}, which {why}");
            PortError::bare(ErrorKind::Corrupt, attempt)
        };
        let parent = self.tipset(&child.parents)?.ok_or_else(|| broken("are not there"))?;
        // Without this a forged chain could be walked for ever.
        if parent.height >= child.height { Err(broken("are not below it")) } else { Ok(parent) }
    }
}

impl ChainAccessor for FilecoinChain {
    fn heaviest(&self) -> Result<Option<Tipset>> {
        Ok(self.head.lock().clone())
    }

    fn tipset(&self, key: &TipsetKey) -> Result<Option<Tipset>> {
        if key.is_empty() {
            return Ok(None);
        }
        let members: Option<Vec<_>> = tipset::load(&*self.blocks, key.cids())?.into_iter().collect();
        members.map(|members| tipset::form(&members)).transpose()
    }

    fn tipset_at(&self, height: Epoch, from: &Tipset) -> Result<Option<Tipset>> {
        if from.height < height {
            return Ok(None);
        }
        let (mut at, mut trail) = (from.clone(), Trail::default());
        while at.height > height {
            let shortcut = self.ancestors.lock().towards(height, &at.key);
            let ancestor = shortcut.map(|key| self.tipset(&key)).transpose()?.flatten();
            if let Some(ancestor) = ancestor {
                trail.jumped(&ancestor);
                at = ancestor;
                continue;
            }
            let parent = self.parent_of(&at)?;
            let child = mem::replace(&mut at, parent);
            trail.stepped(&child, &at, &mut self.ancestors.lock());
        }
        Ok(Some(at))
    }

    fn header(&self, cid: &Cid, data: &[u8]) -> Result<HeaderView> {
        tipset::decode(cid, data).map(|header| header.view())
    }

    fn key_object(&self, key: &TipsetKey) -> Option<Cid> {
        (!key.is_empty()).then(|| key_cid(key))
    }

    fn subscribe(&self, listener: Arc<dyn HeadListener>) -> Result<()> {
        // No turn is waited for: a listener may subscribe another. Who subscribes first and then asks for the
        // head misses nothing, since the head moves before the listeners are counted.
        self.listeners.lock().push(listener);
        Ok(())
    }
}

impl HeadListener for FilecoinChain {
    fn head_changed(&self, change: &HeadChange) -> Result<()> {
        self.set_head(change)
    }
}
