//! Blocks that a rewrite of hot is about to leave out: gone for every walk from the moment they are doomed, whenever the
//! engine makes it true.
//!
//! ```text
//!   run      doom c            rewrite of its range begins ............ ends     forget all
//!   engine                        decides: c goes         c's version is gone
//!   walk           c is absent ----------------------------------------------->
//!   put c                spare -> write -> forget: the new version is never asked about as doomed
//! ```
//! With deletes "checked" and "gone" are one moment; here they are not. What makes up for it:
//!
//! 1. A key is doomed in the step that checks that it is unmarked and not held back, under the lock that holding back
//!    takes. So who holds a key back has either kept it from being doomed, or finds it **hidden**: his walk treats it as
//!    absent, as if it had been deleted then. Nothing is promised on the strength of a version that goes.
//! 2. A put **spares** its blocks before it writes them. The engine asks at the moment at which it decides, so a version
//!    it decides against was there before the put, and the put's own version is newer and stays. Until the write has
//!    returned the block stays hidden from others: it may fail.
//! 3. Readers need nothing: what is doomed is unmarked, and what is unmarked is absent to them. A put that brings it
//!    back has written before it publishes its marks.
//! 4. When the range has been rewritten what was doomed in it is gone for good, and is forgotten: hot itself says so now.
//!    What was spared and not written (the put failed) is purged by a delete, or kept, as without a rewrite. A pass that
//!    failed may have left some of it; that stays doomed until another try has ended.
//! 5. A crash forgets all of it. What was not gone yet is there again, unmarked, hidden by the filter, and purged by
//!    the resumed run; marks that were noted meanwhile were made without it, as after a delete.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use splitstore_domain::BlockKey;
use splitstore_ports::{Block, Doomed};

use crate::sync::RwLock;

/// The doomed blocks of the range that is being rewritten.
#[derive(Default)]
pub(crate) struct Doom {
    /// Whether there are any. Set under the lock that holding back takes: who holds a key back sees it.
    any: AtomicBool,
    fates: RwLock<Fates>,
}

type Fates = HashMap<Box<[u8]>, Fate>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Goes,
    /// It is being written again.
    Spared,
}

impl Doom {
    /// Dooms these. For who holds the lock that holding back takes.
    pub(crate) fn add(&self, keys: &[BlockKey]) {
        if keys.is_empty() {
            return;
        }
        self.any.store(true, Ordering::Relaxed);
        let mut fates = self.fates.write();
        fates.extend(keys.iter().map(|key| (Box::from(key.as_bytes()), Fate::Goes)));
    }

    /// Whether a walk must treat the block in hot as absent.
    pub(crate) fn hides(&self, key: &BlockKey) -> bool {
        self.is_any() && self.fates.read().contains_key(key.as_bytes())
    }

    /// These are about to be written again.
    pub(crate) fn spare(&self, blocks: &[Block<'_>]) {
        self.change(blocks, |fates, key| {
            fates.entry(key).and_modify(|fate| *fate = Fate::Spared);
        });
    }

    /// These have been written again: hot itself is right about them.
    pub(crate) fn written(&self, blocks: &[Block<'_>]) {
        self.change(blocks, |fates, key| {
            fates.remove(&key);
        });
    }

    /// These have been deleted: hot itself is right about them.
    pub(crate) fn deleted(&self, keys: &[BlockKey]) {
        if self.is_any() {
            let mut fates = self.fates.write();
            for key in keys {
                fates.remove(key.as_bytes());
            }
        }
    }

    fn change(&self, blocks: &[Block<'_>], change: impl Fn(&mut Fates, Box<[u8]>)) {
        if self.is_any() {
            let mut fates = self.fates.write();
            for block in blocks {
                change(&mut fates, BlockKey::from(&block.cid).as_bytes().into());
            }
        }
    }

    /// The range has been rewritten. Returns what was spared and is not known to be written: a put that failed, or is
    /// under way, has left the old version, or a new one, or none.
    pub(crate) fn forget_all(&self) -> Vec<BlockKey> {
        let mut fates = self.fates.write();
        self.any.store(false, Ordering::Relaxed);
        let spared = fates.drain().filter(|(_, fate)| *fate == Fate::Spared);
        spared.filter_map(|(key, _)| BlockKey::from_bytes(&key).ok()).collect()
    }

    fn is_any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }
}

impl Doomed for Doom {
    fn is_doomed(&self, key: &[u8]) -> bool {
        self.fates.read().get(key) == Some(&Fate::Goes)
    }
}
