//! What readers may rely on: the new blocks of late tipsets, and the height of the head.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;
use splitstore::domain::ColdPolicy;
use splitstore::ports::cid::Cid;

use crate::{Dice, Life};

/// Tipsets kept.
const TIPSETS: usize = 64;

/// Shared between the node, which adds, and the readers.
pub(crate) struct Live {
    tipsets: RwLock<VecDeque<Arc<LiveTipset>>>,
    head: AtomicU64,
    boundary: u64,
    cold: ColdPolicy,
}

/// Blocks that came with a tipset on the chain and hang from its headers.
pub(crate) struct LiveTipset {
    pub(crate) height: u64,
    pub(crate) blocks: Vec<(Cid, Vec<u8>)>,
}

impl Live {
    pub(crate) fn new(life: &Life) -> Self {
        let (boundary, cold) = (life.boundary(), life.cold());
        Self { tipsets: RwLock::default(), head: AtomicU64::new(0), boundary, cold }
    }

    /// A new head, with its blocks.
    pub(crate) fn push(&self, tipset: LiveTipset) {
        let height = tipset.height;
        let mut tipsets = self.tipsets.write();
        tipsets.push_back(Arc::new(tipset));
        if tipsets.len() > TIPSETS {
            tipsets.pop_front();
        }
        drop(tipsets);
        self.head.store(height, Ordering::SeqCst);
    }

    /// The head is about to be this high: from here on a run may cut at it.
    pub(crate) fn moving_to(&self, height: u64) {
        self.head.fetch_max(height, Ordering::SeqCst);
    }

    /// A tipset whose blocks must all be readable now.
    pub(crate) fn pick(&self, dice: &mut Dice) -> Option<Arc<LiveTipset>> {
        let tipsets = self.tipsets.read();
        let from = tipsets.iter().position(|tipset| self.is_live(tipset))?;
        let offset = usize::try_from(dice.below((tipsets.len() - from) as u64)).ok()?;
        tipsets.get(from + offset).cloned()
    }

    /// Whether no run that has begun so far may have let go of it.
    pub(crate) fn is_live(&self, tipset: &LiveTipset) -> bool {
        let head = self.head.load(Ordering::SeqCst);
        self.cold == ColdPolicy::Universal || tipset.height + self.boundary >= head
    }
}
