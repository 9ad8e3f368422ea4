//! Purge by rewriting hot: the candidates of a range are doomed, then the range is written anew without them.
//!
//! ```text
//!   candidates   k k k k k | k k k | k k k k k k      in key order, as the ranges are
//!   step         doom, rewrite         doom, rewrite ..
//!   cursor                        ^ chunks that are wholly below the end of a rewritten range
//! ```
//! Dooming is the exclusive step that deletes are elsewhere: marks are checked and a batch is doomed while nothing can be
//! held back, 5 ms at most. What walks hold back at that moment is deleted when the range has been rewritten. A crash
//! anywhere dooms the range again; what is gone already is not there to be asked about.

use std::collections::VecDeque;
use std::sync::Arc;

use splitstore_domain::BlockKey;
use splitstore_ports::RewriteRange;

use crate::error::Result;
use crate::filter::Filter;
use crate::store::Inner;

/// The ranges still to come, and what is doomed in the first of them.
pub(super) struct Rewriting {
    ranges: VecDeque<RewriteRange>,
    doomed: u64,
    /// Held back when the rest was doomed, or spared by a put that may have failed.
    postponed: Vec<BlockKey>,
    /// The first chunk with keys in the present range.
    of: u64,
}

impl Rewriting {
    pub(super) fn new(ranges: Vec<RewriteRange>) -> Self {
        Self { ranges: ranges.into(), doomed: 0, postponed: Vec::new(), of: 0 }
    }

    /// Takes those of these keys that lie in the present range; passes over ranges before the first of them.
    pub(super) fn take_inside(&mut self, keys: &mut Vec<BlockKey>) -> Vec<BlockKey> {
        let Some(first) = keys.first() else { return Vec::new() };
        if self.is_empty() {
            while self.ranges.front().is_some_and(|range| !range.keys.is_below_end(first.as_bytes())) {
                self.ranges.pop_front();
            }
        }
        let Some(range) = self.ranges.front() else { return Vec::new() };
        let inside = keys.partition_point(|key| range.keys.is_below_end(key.as_bytes()));
        let later = keys.split_off(inside);
        std::mem::replace(keys, later)
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

    /// Rewrites the present range, if anything in it is doomed; how many blocks that were, and how many bytes the engine
    /// read for it.
    pub(super) fn rewrite(&mut self, cx: &Inner, filter: &Arc<Filter>) -> Result<(u64, u64)> {
        let (Some(range), Some(hot)) = (self.ranges.front(), cx.tiers.hot.range_rewrite()) else {
            return Ok((0, 0));
        };
        if self.doomed == 0 {
            return Ok((0, 0));
        }
        let doom = filter.doomed();
        hot.rewrite(&range.keys, doom.clone(), &cx.interrupt)?;
        // Of a put that failed nobody knows what is left: its blocks are deleted, unless they are kept now.
        let spared = doom.forget_all();
        let removed = std::mem::take(&mut self.doomed).saturating_sub(spared.len() as u64);
        self.postponed.extend(spared);
        Ok((removed, range.needs.0))
    }

    /// What is to be deleted one by one, now that the range has been rewritten, and the first chunk that it may be of.
    pub(super) fn take_postponed(&mut self) -> (u64, Vec<BlockKey>) {
        (self.of, std::mem::take(&mut self.postponed))
    }
}
