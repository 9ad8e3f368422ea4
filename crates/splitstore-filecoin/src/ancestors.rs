//! Shortcuts down a chain, so that looking up a height does not read every header on the way each time.
//!
//! ```text
//!   height   |    512     |    512     |    512     |
//!   chain    a--b--c--d---e--f---g--h---i--j--k--m--n      i: highest of its stretch
//!                  d <----------- h                        h: highest of the one below, and so on
//! ```
//! A shortcut leads from a tipset to one of its ancestors. That is true for ever, whatever the head does: keys
//! are hashes. So there is nothing to invalidate.

use std::collections::HashMap;

use splitstore_domain::{Epoch, Tipset, TipsetKey};

/// Epochs between two shortcuts.
const STRETCH: u64 = 512;
/// Shortcuts that are kept: 8 million epochs, 80 years of Filecoin, in about 16 MiB. Beyond it starts anew.
const KEPT: usize = 16_384;

/// The shortcuts known so far.
#[derive(Default)]
pub(crate) struct Ancestors {
    below: HashMap<TipsetKey, (Epoch, TipsetKey)>,
}

impl Ancestors {
    /// An ancestor of `key` that is not below `height`.
    pub(crate) fn towards(&self, height: Epoch, key: &TipsetKey) -> Option<TipsetKey> {
        let (found, ancestor) = self.below.get(key)?;
        (*found >= height).then(|| ancestor.clone())
    }

    fn note(&mut self, from: TipsetKey, ancestor: &Tipset) {
        if self.below.len() >= KEPT {
            self.below.clear();
        }
        self.below.insert(from, (ancestor.height, ancestor.key.clone()));
    }
}

/// Watches one walk down and notes what the next can skip.
#[derive(Default)]
pub(crate) struct Trail {
    last: Option<TipsetKey>,
}

impl Trail {
    /// The walk took a shortcut to `ancestor`.
    pub(crate) fn jumped(&mut self, ancestor: &Tipset) {
        self.last = Some(ancestor.key.clone());
    }

    /// The walk stepped from `child` to its parent.
    pub(crate) fn stepped(&mut self, child: &Tipset, parent: &Tipset, ancestors: &mut Ancestors) {
        if stretch(parent) == stretch(child) {
            return;
        }
        if let Some(last) = self.last.replace(parent.key.clone()) {
            ancestors.note(last, parent);
        }
    }
}

const fn stretch(tipset: &Tipset) -> u64 {
    tipset.height.height() / STRETCH
}
