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
//!    absent, as if it had been deleted then. Nothing is promised on the strength of a version that goes. One case is apart:
//!    under `universal` a put marks what its blocks link to, doomed or not (`Filter::put` leaves nothing out there). That
//!    is sound because what is doomed is a candidate, and a run of `universal` seals when all of them are durable in cold: the
//!    version goes from hot, and the mark is kept by cold.
//! 2. A put **spares** its blocks before it writes them. The engine asks at the moment at which it decides, so a version
//!    it decides against was there before the put, and the put's own version is newer and stays. Until the write has
//!    returned the block stays hidden from others: it may fail.
//! 3. Readers need nothing: what is doomed is unmarked, and what is unmarked is absent to them. A put that brings it
//!    back has written before it publishes its marks.
//! 4. When the range has been rewritten what was doomed in it is gone for good, and is forgotten: hot itself says so now.
//!    What was spared and not written (the put failed) is purged by a delete, or kept, as without a rewrite. A pass that
//!    failed may have left some of it; that stays doomed until another try has ended.
//! 5. The engine's word that it has rewritten the range is not enough: it must have **asked** about a block to have left it
//!    out. What it was never told about is looked for, and purged by a delete before the cursor moves. Nor is it enough that
//!    it asked, as what it wrote may have been thrown away: some dozens of the blocks that it was told about, from all over the
//!    range, are looked for, and if hot has one of them it is **not believed** about any. A pass that failed proves nothing,
//!    so another try dooms its blocks anew.
//! 6. A crash forgets all of it. What was not gone yet is there again, unmarked, hidden by the filter, and purged by
//!    the resumed run; marks that were noted meanwhile were made without it, as after a delete.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use splitstore_domain::BlockKey;
use splitstore_ports::{Block, Doomed};

use crate::growth::shard_of;
use crate::sync::{RwLock, SHARDS};

/// The doomed blocks of the range that is being rewritten.
#[derive(Default)]
pub(crate) struct Doom {
    /// Whether there are any. Set under a lock that holding back takes: who holds a key back sees it.
    any: AtomicBool,
    /// In shards, as what is held back is. The engine asks about key after key, on a thread that may stand back.
    fates: [RwLock<Fates>; SHARDS],
}

type Fates = HashMap<Box<[u8]>, Fate>;

enum Fate {
    /// Whether the engine has been told so since it was doomed. It may ask any number of times.
    Goes { told: AtomicBool },
    /// It is being written again.
    Spared,
}

impl Fate {
    const fn goes() -> Self {
        Self::Goes { told: AtomicBool::new(false) }
    }
}

/// What is not known to be gone when a range has been rewritten.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// Not known to be written: a put that failed, or is under way, has left the old version, or a new one, or none.
    pub(crate) spared: Vec<BlockKey>,
    /// The engine never asked about these, or is not believed: it has passed over them, unless they are gone.
    pub(crate) unasked: Vec<BlockKey>,
}

impl Doom {
    /// Dooms these. For who holds the locks that holding them back takes.
    pub(crate) fn add(&self, keys: &[BlockKey]) {
        if keys.is_empty() {
            return;
        }
        self.any.store(true, Ordering::Relaxed);
        for key in keys {
            let key = key.as_bytes();
            self.fates_of(key).write().insert(Box::from(key), Fate::goes());
        }
    }

    /// A purge begins, perhaps where one has failed. What that one left stays doomed, and nobody need ask about it: what is
    /// to go in this one is doomed again.
    pub(crate) fn begin(&self) {
        self.each_that_goes(|told| *told = true);
    }

    /// Whether the engine has been told that this block goes, and nobody is writing it again.
    pub(crate) fn is_told(&self, key: &BlockKey) -> bool {
        let fates = self.fates_of(key.as_bytes()).read();
        matches!(fates.get(key.as_bytes()), Some(Fate::Goes { told }) if told.load(Ordering::Relaxed))
    }

    /// That the engine asked proves nothing this time: all that is doomed counts as passed over.
    pub(crate) fn disbelieve(&self) {
        self.each_that_goes(|told| *told = false);
    }

    fn each_that_goes(&self, change: impl Fn(&mut bool)) {
        for shard in &self.fates {
            for fate in shard.write().values_mut() {
                if let Fate::Goes { told } = fate {
                    change(told.get_mut());
                }
            }
        }
    }

    fn fates_of(&self, key: &[u8]) -> &RwLock<Fates> {
        &self.fates[shard_of(key)]
    }

    /// Whether a walk must treat the block in hot as absent.
    pub(crate) fn hides(&self, key: &BlockKey) -> bool {
        self.is_any() && self.fates_of(key.as_bytes()).read().contains_key(key.as_bytes())
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
            for key in keys {
                self.fates_of(key.as_bytes()).write().remove(key.as_bytes());
            }
        }
    }

    fn change(&self, blocks: &[Block<'_>], change: impl Fn(&mut Fates, Box<[u8]>)) {
        if self.is_any() {
            for block in blocks {
                let key = BlockKey::from(&block.cid);
                change(&mut self.fates_of(key.as_bytes()).write(), key.as_bytes().into());
            }
        }
    }

    /// The range has been rewritten. Returns what of the doomed is not known to be gone, in key order.
    pub(crate) fn forget_all(&self) -> Left {
        // Puts take the locks: they need not wait until so many keys are freed.
        let fates = self.fates.each_ref().map(|shard| std::mem::take(&mut *shard.write()));
        // Behind the last of them, and nobody dooms meanwhile: until then a put looks in its shard, as before.
        self.any.store(false, Ordering::Relaxed);
        let mut left = Left::default();
        for (key, fate) in fates.into_iter().flatten() {
            let among = match fate {
                Fate::Spared => &mut left.spared,
                Fate::Goes { told } if told.load(Ordering::Relaxed) => continue,
                Fate::Goes { .. } => &mut left.unasked,
            };
            among.extend(BlockKey::from_bytes(&key));
        }
        left.spared.sort_unstable();
        left.unasked.sort_unstable();
        left
    }

    fn is_any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }
}

impl Doomed for Doom {
    fn is_doomed(&self, key: &[u8]) -> bool {
        match self.fates_of(key).read().get(key) {
            Some(Fate::Goes { told }) => {
                told.store(true, Ordering::Relaxed);
                true
            }
            Some(Fate::Spared) | None => false,
        }
    }
}

#[cfg(all(test, not(interleaved)))]
mod tests {
    use super::*;

    fn keys() -> [BlockKey; 3] {
        [b"one", b"two", b"six"]
            .map(|data| BlockKey::from_bytes(&[&[0, 3], &data[..]].concat()).expect("keys"))
    }

    #[test]
    fn what_the_engine_was_never_told_about_is_left_when_its_range_is_rewritten() {
        let (doom, [asked, twice, never]) = (Doom::default(), keys());
        doom.add(&keys());
        assert!(doom.is_doomed(asked.as_bytes()));
        assert!(doom.is_doomed(twice.as_bytes()) && doom.is_doomed(twice.as_bytes()));
        let Left { spared, unasked } = doom.forget_all();
        assert_eq!((spared, unasked), (vec![], vec![never.clone()]));
        assert!(!doom.hides(&never) && !doom.is_doomed(never.as_bytes()));
        assert!(doom.forget_all().unasked.is_empty());
    }

    #[test]
    fn an_engine_that_is_not_believed_has_passed_over_all_that_nobody_writes_again() {
        let (doom, [one, two, again]) = (Doom::default(), keys());
        doom.add(&keys());
        assert!(doom.is_doomed(one.as_bytes()) && doom.is_doomed(again.as_bytes()));
        assert!(doom.is_told(&one) && !doom.is_told(&two));
        let cid = again.to_cid(0x55);
        doom.spare(&[Block { cid, data: b"" }]);
        assert!(!doom.is_told(&again), "it may be there: somebody writes it");
        doom.disbelieve();
        let Left { spared, unasked } = doom.forget_all();
        let mut left = vec![one, two];
        left.sort_unstable();
        assert_eq!((spared, unasked), (vec![again], left));
    }

    /// To have been asked about in a pass that failed is no proof in the next.
    #[test]
    fn what_is_doomed_again_has_to_be_asked_about_again() {
        let (doom, [again, left, _]) = (Doom::default(), keys());
        doom.add(&[again.clone(), left.clone()]);
        assert!(doom.is_doomed(again.as_bytes()));
        doom.begin();
        assert!(doom.hides(&left), "it stays doomed, and nobody has asked about it");
        doom.add(std::slice::from_ref(&again));
        assert_eq!(doom.forget_all().unasked, [again]);
    }

    #[test]
    fn what_is_spared_is_no_longer_told_to_go_and_is_left_until_it_is_written() {
        let (doom, [written, failed, _]) = (Doom::default(), keys());
        doom.add(&keys());
        let (written, failed) = (written.to_cid(0x55), failed.to_cid(0x55));
        let [written, failed] = [written, failed].map(|cid| [Block { cid, data: b"" }]);
        let key = |block: &[Block<'_>; 1]| BlockKey::from(&block[0].cid);
        for block in [&written, &failed] {
            assert!(doom.is_doomed(key(block).as_bytes()));
            doom.spare(block);
            assert!(!doom.is_doomed(key(block).as_bytes()) && doom.hides(&key(block)));
        }
        doom.written(&written);
        assert_eq!(doom.forget_all().spared, [key(&failed)]);
    }
}
