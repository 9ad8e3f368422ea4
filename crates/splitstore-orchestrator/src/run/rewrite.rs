//! Purge by rewriting hot: the candidates of a range are doomed, then the range is written anew without them.
//!
//! ```text
//!   candidates   k k k k k | k k k | k k k k k k      in key order, as the ranges are
//!   step         doom, rewrite         doom, rewrite ..
//!   cursor                        ^ chunks that are wholly below the end of a rewritten range
//! ```
//! Dooming is the exclusive step that deletes are elsewhere: marks are checked and a batch is doomed while nothing can be
//! held back, 5 ms at most. What walks hold back at that moment is deleted when the range has been rewritten, and so is what
//! the engine passed over. A crash anywhere dooms the range again; what is gone already is not there to be asked about.
//!
//! An engine that asks about every block and then leaves them where they are is found out by a look for some of them
//! ([`Probes`]). They lie evenly over the range: what an engine throws away is whole tables, which are runs of keys.
//!
//! Each range asks the disk for its room before anything in it is doomed. If there is none, the rest goes by deletes.

use std::collections::VecDeque;
use std::sync::Arc;

use splitstore_domain::BlockKey;
use splitstore_domain::object::RAW;
use splitstore_domain::purge::NoRoom;
use splitstore_ports::RewriteRange;

use crate::doom::{Doom, Left};
use crate::error::Result;
use crate::filter::Filter;
use crate::store::Inner;

/// The ranges still to come, and what is doomed in the first of them.
pub(super) struct Rewriting {
    ranges: VecDeque<RewriteRange>,
    doomed: u64,
    /// Held back when the rest was doomed, spared by a put that may have failed, or passed over by the engine.
    postponed: Vec<BlockKey>,
    /// The first chunk with keys in the present range.
    of: u64,
    probes: Probes,
}

/// Some of the keys of the present range, evenly spread over it.
#[derive(Default)]
struct Probes {
    keys: Vec<BlockKey>,
    /// One key in two to the power of this is taken.
    rarity: u32,
    offered: u64,
}

/// Keys that are looked for in a range at most. A table with a thirty-second part of what is doomed there
/// holds one of them; to ask hot for what it lacks reads no block, but where its filters err.
const PROBES: usize = 64;

impl Probes {
    fn offer(&mut self, keys: &[BlockKey]) {
        for key in keys {
            if self.keys.len() == PROBES {
                let mut odd = false;
                self.keys.retain(|_| {
                    odd = !odd;
                    odd
                });
                self.rarity += 1;
            }
            if self.offered.is_multiple_of(1 << self.rarity) {
                self.keys.push(key.clone());
            }
            self.offered += 1;
        }
    }
}

/// What came of a range.
#[derive(Default)]
pub(super) struct Rewritten {
    /// Blocks that it rid hot of.
    pub(super) removed: u64,
    /// Bytes that the engine read for it.
    pub(super) bytes: u64,
    /// Doomed blocks that are still there although the engine has rewritten their range.
    pub(super) passed_over: u64,
}

impl Rewriting {
    pub(super) fn new(ranges: Vec<RewriteRange>) -> Self {
        Self { ranges: ranges.into(), doomed: 0, postponed: Vec::new(), of: 0, probes: Probes::default() }
    }

    /// Whether the disk has no room to rewrite the range of this key, in which nothing is doomed yet.
    pub(super) fn lacks_room(&mut self, cx: &Inner, first: &BlockKey) -> Result<Option<NoRoom>> {
        self.pass_to(first);
        let Some(range) = self.ranges.front().filter(|_| self.is_empty()) else { return Ok(None) };
        Ok(NoRoom::to_rewrite(range.needs, cx.free_for_hot()?))
    }

    /// Takes those of these keys that lie in the present range; passes over ranges before the first of them.
    pub(super) fn take_inside(&mut self, keys: &mut Vec<BlockKey>) -> Vec<BlockKey> {
        let Some(first) = keys.first() else { return Vec::new() };
        self.pass_to(first);
        let Some(range) = self.ranges.front() else { return Vec::new() };
        let inside = keys.partition_point(|key| range.keys.is_below_end(key.as_bytes()));
        let later = keys.split_off(inside);
        self.probes.offer(keys);
        std::mem::replace(keys, later)
    }

    fn pass_to(&mut self, first: &BlockKey) {
        if self.is_empty() {
            while self.ranges.front().is_some_and(|range| !range.keys.is_below_end(first.as_bytes())) {
                self.ranges.pop_front();
            }
        }
    }

    /// Of this chunk so many were doomed, these not yet.
    pub(super) fn add(&mut self, of: u64, doomed: u64, postponed: Vec<BlockKey>) {
        if self.is_empty() {
            self.of = of;
        }
        self.doomed += doomed;
        self.postponed.extend(postponed);
    }

    /// Whether there is nothing to rewrite the present range for.
    pub(super) fn is_empty(&self) -> bool {
        self.doomed == 0 && self.postponed.is_empty()
    }

    /// Rewrites the present range, if anything in it is doomed.
    pub(super) fn rewrite(&mut self, cx: &Inner, filter: &Arc<Filter>) -> Result<Rewritten> {
        let (Some(range), Some(hot)) = (self.ranges.front(), cx.tiers.hot.range_rewrite()) else {
            return Ok(Rewritten::default());
        };
        let probes = std::mem::take(&mut self.probes);
        if self.doomed == 0 {
            return Ok(Rewritten::default());
        }
        let doom = filter.doomed();
        hot.rewrite(&range.keys, doom.clone(), &cx.interrupt)?;
        if has_left_some(cx, doom, &probes)? {
            doom.disbelieve();
        }
        // Of a put that failed nobody knows what is left: its blocks are deleted, unless they are kept now.
        let Left { spared, unasked } = doom.forget_all();
        let passed_over = still_there(cx, unasked)?;
        let left = (spared.len() + passed_over.len()) as u64;
        let removed = std::mem::take(&mut self.doomed).saturating_sub(left);
        let rewritten = Rewritten { removed, bytes: range.reads.0, passed_over: passed_over.len() as u64 };
        self.postponed.extend(spared);
        self.postponed.extend(passed_over);
        Ok(rewritten)
    }

    /// What is to be deleted one by one, now that the range has been rewritten, and the first chunk that it may be of.
    pub(super) fn take_postponed(&mut self) -> (u64, Vec<BlockKey>) {
        (self.of, std::mem::take(&mut self.postponed))
    }
}

/// Whether hot still has one of these that the engine was told to leave out.
fn has_left_some(cx: &Inner, doom: &Doom, probes: &Probes) -> Result<bool> {
    for key in &probes.keys {
        // Looked at again: who writes it spares it first.
        if doom.is_told(key) && cx.tiers.hot.has(&key.to_cid(RAW))? && doom.is_told(key) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Those of these that hot has. After a crash most of a range is gone before it is rewritten, and no engine asks about it.
fn still_there(cx: &Inner, keys: Vec<BlockKey>) -> Result<Vec<BlockKey>> {
    let mut there = Vec::new();
    for key in keys {
        if cx.tiers.hot.has(&key.to_cid(RAW))? {
            there.push(key);
        }
    }
    Ok(there)
}

#[cfg(all(test, not(interleaved)))]
mod tests {
    use super::*;

    #[test]
    fn probes_lie_evenly_over_however_many_keys_there_are() {
        for all in [0_usize, 1, 63, 64, 65, 127, 128, 129, 1_000, 4_097, 60_000] {
            let key = |n: usize| [&[0, 3][..], &u32::try_from(n).unwrap().to_be_bytes()[1..]].concat();
            let keys: Vec<_> = (0..all).map(|n| BlockKey::from_bytes(&key(n)).unwrap()).collect();
            let mut probes = Probes::default();
            keys.chunks(1_000).for_each(|chunk| probes.offer(chunk));
            let at: Vec<usize> = probes.keys.iter().map(|key| keys.binary_search(key).unwrap()).collect();
            assert!(at.len() >= all.min(PROBES / 2) && at.len() <= PROBES, "{} of {all}", at.len());
            let gaps = at.windows(2).map(|pair| pair[1] - pair[0]);
            let last = at.last().map(|last| all - last);
            assert!(gaps.chain(last).all(|gap| gap <= 1 << probes.rarity), "{all}: {at:?}");
            assert!(at.first().is_none_or(|first| *first == 0));
        }
    }
}
