//! Both tiers behind one raw read: hot, then cold. No protection, no filter: the walker's view of the store.

use std::sync::Arc;

use cid::Cid;
use splitstore_ports::{Block, ColdStore, HotStore, Result};

/// The two tiers.
#[derive(Clone)]
pub(crate) struct Tiers {
    pub(crate) hot: Arc<dyn HotStore>,
    pub(crate) cold: Arc<dyn ColdStore>,
}

impl Tiers {
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
        Ok(self.hot.has(cid)? || self.cold.has(cid)?)
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
        self.hot.view_many(cids, &mut seen)?;
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
