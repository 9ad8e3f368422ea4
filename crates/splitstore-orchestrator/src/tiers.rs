//! Both tiers behind one raw read: hot, then cold. No protection, no filter: the walker's view of the store.

use std::path::PathBuf;
use std::sync::Arc;

use cid::Cid;
use splitstore_domain::{BlockKey, TierSizes};
use splitstore_ports::{Block, ColdStore, HotStore, Maintenance, Result};

use crate::doom::Doom;

/// The two tiers.
#[derive(Clone)]
pub(crate) struct Tiers {
    pub(crate) hot: Arc<dyn HotStore>,
    pub(crate) cold: Arc<dyn ColdStore>,
    /// What counts as absent from hot already.
    doom: Option<Arc<Doom>>,
}

impl Tiers {
    pub(crate) fn new(hot: Arc<dyn HotStore>, cold: Arc<dyn ColdStore>) -> Self {
        Self { hot, cold, doom: None }
    }

    /// The same without what is doomed.
    pub(crate) fn without(self, doom: Arc<Doom>) -> Self {
        Self { doom: Some(doom), ..self }
    }

    /// Bytes on disk of both.
    pub(crate) fn sizes(&self) -> Result<TierSizes> {
        let hot = self.hot.maintenance().map(Maintenance::size_on_disk).transpose()?;
        let cold = self.cold.maintenance().map(Maintenance::size_on_disk).transpose()?;
        Ok(TierSizes { hot, cold })
    }

    /// Blocks that hot has read out of damaged pages.
    pub(crate) fn salvaged(&self) -> u64 {
        self.hot.maintenance().map_or(0, Maintenance::salvaged)
    }

    /// Logs that hot found damaged before sound records.
    pub(crate) fn damaged_logs(&self) -> &[PathBuf] {
        self.hot.maintenance().map_or(&[], Maintenance::damaged_logs)
    }

    /// Puts blocks into hot, with a note of their links if there is one.
    pub(crate) fn put(&self, blocks: &[Block<'_>], links: Option<&[u8]>) -> Result<()> {
        match (links, self.hot.link_notes()) {
            (Some(links), Some(notes)) => notes.put_many_linked(blocks, links, None),
            _ => self.hot.put_many(blocks),
        }
    }

    /// The same with a note of marks.
    pub(crate) fn put_marked(&self, blocks: &[Block<'_>], links: Option<&[u8]>, marks: &[u8]) -> Result<()> {
        match (links, self.hot.link_notes()) {
            (Some(links), Some(notes)) => notes.put_many_linked(blocks, links, Some(marks)),
            _ => self.hot.put_many_noting(blocks, marks),
        }
    }

    /// Whether either tier has the block.
    pub(crate) fn holds(&self, cid: &Cid) -> Result<bool> {
        Ok((!self.hides(cid) && self.hot.has(cid)?) || self.cold.has(cid)?)
    }

    fn hides(&self, cid: &Cid) -> bool {
        self.doom.as_ref().is_some_and(|doom| doom.hides(&BlockKey::from(cid)))
    }

    /// Shows what hot has, but for what is doomed.
    fn view_hot(&self, cids: &[Cid], read: &mut dyn FnMut(usize, &[u8])) -> Result<()> {
        if !cids.iter().any(|cid| self.hides(cid)) {
            return self.hot.view_many(cids, read);
        }
        let shown: Vec<usize> = (0..cids.len()).filter(|index| !self.hides(&cids[*index])).collect();
        let asked: Vec<Cid> = shown.iter().map(|index| cids[*index]).collect();
        self.hot.view_many(&asked, &mut |place, data| read(shown[place], data))
    }

    /// Shows every block that either tier has; returns the indexes of those that neither has.
    pub(crate) fn view_many(&self, cids: &[Cid], read: &mut dyn FnMut(usize, &[u8])) -> Result<Vec<usize>> {
        let mut found = vec![false; cids.len()];
        let mut seen = |index: usize, data: &[u8]| {
            if let Some(place) = found.get_mut(index) {
                *place = true;
            }
            read(index, data);
        };
        self.view_hot(cids, &mut seen)?;
        let missed = absent(&found);
        if missed.is_empty() {
            return Ok(missed);
        }
        let rest: Vec<Cid> = missed.iter().map(|index| cids[*index]).collect();
        let mut found_cold = vec![false; rest.len()];
        self.cold.view_many(&rest, &mut |index, data| {
            found_cold[index] = true;
            read(missed[index], data);
        })?;
        Ok(absent(&found_cold).into_iter().map(|index| missed[index]).collect())
    }
}

fn absent(found: &[bool]) -> Vec<usize> {
    found.iter().enumerate().filter_map(|(index, found)| (!found).then_some(index)).collect()
}
