//! A graph as the link index holds it: plain arrays, which are proved to fit together before they are used.

use std::sync::Arc;

use splitstore_ports::{BlockSnapshot, Result};

use super::added::Added;
use super::assemble::assemble;
use super::links::{self, Links};
use super::{Graph, Keyed};

/// The arrays of a graph; see `index.rs` and `links.rs`.
#[derive(Default, Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) groups: Vec<(Box<[u8]>, u32)>,
    pub(crate) ids: Vec<u64>,
    pub(crate) checks: Vec<u64>,
    pub(crate) counts: Vec<u8>,
    pub(crate) words: Vec<u32>,
}

impl Parts {
    /// Room for so many blocks.
    pub(crate) fn with_capacity(blocks: usize) -> Self {
        Self {
            groups: Vec::new(),
            ids: Vec::with_capacity(blocks),
            checks: Vec::with_capacity(blocks),
            counts: Vec::with_capacity(blocks),
            words: Vec::with_capacity(2 * blocks),
        }
    }

    /// What does not fit together, if anything.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let blocks = self.ids.len();
        let grouped: u64 = self.groups.iter().map(|(_, len)| u64::from(*len)).sum();
        if self.checks.len() != blocks || self.counts.len() != blocks || grouped != blocks as u64 {
            return Some("its arrays are not of one length");
        }
        let mut rest = self.ids.as_slice();
        for (_, len) in &self.groups {
            let (group, behind) = rest.split_at(*len as usize);
            if !group.is_sorted() {
                return Some("its keys are not in order");
            }
            rest = behind;
        }
        links::fault(&self.counts, &self.words, blocks)
    }
}

impl<'a> Graph<'a> {
    /// A graph of what was read from the index and what was added since, over a snapshot that holds it.
    pub(crate) fn of_parts(
        snapshot: Box<dyn BlockSnapshot + 'a>,
        parts: Parts,
        added: Added,
        keyed: &Arc<Keyed>,
        threads: usize,
    ) -> Result<Self> {
        let (index, links) = assemble(parts, added, keyed, threads)?;
        Ok(Self { snapshot, index: Arc::new(index), links, threads })
    }

    /// The snapshot, and the rest for the link index.
    pub(crate) fn split(self) -> (Box<dyn BlockSnapshot + 'a>, Links) {
        (self.snapshot, self.links)
    }
}
