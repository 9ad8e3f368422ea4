//! Many blocks in one call: one look into each tier for all of them, then each block is kept as one that was read
//! alone is.
//!
//! ```text
//!   get_many    moment - hot, one batch - cold, one batch of what hot lacks - moment
//!                 ^ idle and the same: done; else each found block is kept, and those that a change of stage has
//!                   overtaken are looked for again
//!   view_many   listed, 256 at a time - hot - cold - off the list
//! ```
//! No block is worse protected for having company: cold is asked after hot has missed, and every answer is judged by
//! the moment before the first look.

use std::panic::Location;

use cid::Cid;
use splitstore_ports::{BlockRead, Result};

use super::{Kept, Stored, Tier, lower};
use crate::pacer::Kind;
use crate::protection::Stage;
use crate::store::{Inner, SplitStore};

/// Blocks listed as views at a time: what engines pin, and a change of stage takes, at most.
const LISTED_AT_ONCE: usize = 256;

/// What a batch is answered with, block by block.
type Answers = [Option<Vec<u8>>];

impl SplitStore {
    /// Copies of the blocks that are there, each at its index in `cids`: as many calls of [`SplitStore::get`], in far
    /// less time, as each tier reads the batch in its own order.
    pub fn get_many(&self, cids: &[Cid]) -> Result<Vec<Option<Vec<u8>>>> {
        let _timed = self.inner.pacer.timed(Kind::Batch, cids.first(), &*self.inner.clock);
        let mut answers = vec![None; cids.len()];
        let mut wanted = Vec::with_capacity(cids.len());
        for (index, cid) in cids.iter().enumerate() {
            match Stored::of(cid) {
                Stored::Tiers => wanted.push(index),
                Stored::Elsewhere(data) => answers[index] = data.map(<[u8]>::to_vec),
            }
        }
        while !wanted.is_empty() {
            wanted = self.inner.get_wanted(cids, &wanted, &mut answers)?;
        }
        Ok(answers)
    }
}

impl Inner {
    /// Looks for what is wanted; returns what a change of stage has overtaken.
    fn get_wanted(&self, cids: &[Cid], wanted: &[usize], answers: &mut Answers) -> Result<Vec<usize>> {
        let moment = self.protection.moment();
        let (hot, missed) = fetch(&*self.tiers.hot, cids, wanted, answers)?;
        let (cold, _) = fetch(&*self.tiers.cold, cids, &missed, answers)?;
        if moment.stage() == Stage::Idle && self.protection.moment() == moment {
            return Ok(Vec::new());
        }
        let (mut again, mut hidden) = (Vec::new(), Vec::new());
        let found = hot.into_iter().map(|index| (index, Tier::Hot));
        for (index, tier) in found.chain(cold.into_iter().map(|index| (index, Tier::Cold))) {
            match self.keep(&cids[index], tier, Some(moment))? {
                Kept::Yes => {}
                Kept::Overtaken => again.push(index),
                // The filter hides what hot showed: cold decides.
                Kept::Hidden => hidden.push(index),
            }
        }
        for index in again.iter().chain(&hidden) {
            answers[*index] = None;
        }
        let (found, _) = fetch(&*self.tiers.cold, cids, &hidden, answers)?;
        for index in found {
            if self.keep(&cids[index], Tier::Cold, Some(moment))? != Kept::Yes {
                answers[index] = None;
                again.push(index);
            }
        }
        Ok(again)
    }

    /// Shows blocks to `read`, all of them listed as views until the last callback has returned.
    pub(super) fn view_all(
        &self,
        cids: &[Cid],
        at: &'static Location<'static>,
        read: &mut dyn FnMut(usize, &[u8]),
    ) -> Result<()> {
        let _timed = self.pacer.timed(Kind::Batch, cids.first(), &*self.clock);
        let mut wanted = Vec::with_capacity(cids.len());
        for (index, cid) in cids.iter().enumerate() {
            match Stored::of(cid) {
                Stored::Tiers => wanted.push(index),
                Stored::Elsewhere(Some(data)) => read(index, data),
                Stored::Elsewhere(None) => {}
            }
        }
        wanted.chunks(LISTED_AT_ONCE).try_for_each(|part| self.view_listed(cids, part, at, read))
    }

    fn view_listed(
        &self,
        cids: &[Cid],
        part: &[usize],
        at: &'static Location<'static>,
        read: &mut dyn FnMut(usize, &[u8]),
    ) -> Result<()> {
        let now = self.clock.elapsed();
        let (mut open, mut shown, mut missed) = (Vec::with_capacity(part.len()), Vec::new(), Vec::new());
        for index in part {
            let (view, stage) = self.protection.view(&cids[*index], at, now);
            open.push(view);
            let filter = if stage == Stage::Filtering { self.protection.filter() } else { None };
            let is_shown = filter.map_or(Ok(true), |filter| filter.shows(&cids[*index]).map_err(lower))?;
            if is_shown { shown.push(*index) } else { missed.push(*index) }
        }
        let (found, lacking) = show(&*self.tiers.hot, cids, &shown, read)?;
        found.into_iter().try_for_each(|index| self.keep(&cids[index], Tier::Hot, None).map(|_| ()))?;
        missed.extend(lacking);
        let (found, _) = show(&*self.tiers.cold, cids, &missed, read)?;
        found.into_iter().try_for_each(|index| self.keep(&cids[index], Tier::Cold, None).map(|_| ()))
    }
}

/// Reads what a tier has of `wanted` into the answers; what it has, and what it lacks.
fn fetch(
    tier: &dyn BlockRead,
    cids: &[Cid],
    wanted: &[usize],
    answers: &mut Answers,
) -> Result<(Vec<usize>, Vec<usize>)> {
    show(tier, cids, wanted, &mut |index, data| answers[index] = Some(data.to_vec()))
}

/// Shows what a tier has of `wanted`; what it has, and what it lacks.
fn show(
    tier: &dyn BlockRead,
    cids: &[Cid],
    wanted: &[usize],
    read: &mut dyn FnMut(usize, &[u8]),
) -> Result<(Vec<usize>, Vec<usize>)> {
    if wanted.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let asked: Vec<Cid> = wanted.iter().map(|index| cids[*index]).collect();
    let mut found = vec![false; asked.len()];
    tier.view_many(&asked, &mut |place, data| {
        found[place] = true;
        read(wanted[place], data);
    })?;
    let (has, lacks): (Vec<_>, Vec<_>) = wanted.iter().zip(found).partition(|(_, found)| *found);
    let indexes = |places: Vec<(&usize, bool)>| places.into_iter().map(|(index, _)| *index).collect();
    Ok((indexes(has), indexes(lacks)))
}
