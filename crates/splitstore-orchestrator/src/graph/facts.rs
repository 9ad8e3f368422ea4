//! What a graph says of one block, in the words of a scan: to be compared with what the block says of itself.

use splitstore_domain::BlockKey;
use splitstore_ports::ScannedBlock;

use super::index::Index;
use super::links::{Known, Links, numbers, target};
use super::names::{Named, name};
use super::{Graph, links_of};

/// What a graph says of a block, by name; `slots` is room for it.
pub(super) fn fact<'a>(index: &Index, links: &Links, ordinal: u32, slots: &'a mut Vec<u64>) -> Named<'a> {
    slots.clear();
    match links.at(links.place(ordinal)) {
        Known::Leaf => return Named::None,
        Known::Unread => return Named::Unread,
        Known::Named(words) => slots.extend(numbers(words)),
        Known::Edges(edges) => {
            slots.push(0);
            for edge in edges {
                let (block, reading) = target(*edge);
                slots.push(name(index.id(block), reading));
                slots[0] = slots[0].wrapping_add(index.check(block));
            }
        }
    }
    Named::Slots(slots)
}

/// A block whose links are not those that a graph has for it.
#[derive(Debug)]
pub(crate) struct Disagreement {
    /// The block, where hot has it.
    pub(crate) key: Option<BlockKey>,
    /// What is wrong.
    pub(crate) fault: String,
}

impl Graph<'_> {
    /// Looks one block up in the snapshot and compares its links; `None` if they agree.
    pub(crate) fn check(&self, ordinal: u32) -> splitstore_ports::Result<Option<Disagreement>> {
        let mut found = None;
        self.find(ordinal, &mut |block| found = Some(self.compare(ordinal, block)))?;
        let least = self.index.least_key(ordinal);
        let absent = || {
            let fault = format!("hot has no block whose key begins with {least:02x?}");
            Some(Disagreement { key: None, fault })
        };
        Ok(found.unwrap_or_else(absent))
    }

    /// Compares what the graph has for a block with the block.
    pub(crate) fn compare(&self, ordinal: u32, block: &ScannedBlock<'_>) -> Option<Disagreement> {
        let mut known = Vec::new();
        let known = fact(&self.index, &self.links, ordinal, &mut known);
        if known == Named::Unread {
            return None;
        }
        let mut own = Vec::new();
        let own = links_of(block.data, &self.index.keyed, &mut own);
        if own.as_named() == known {
            return None;
        }
        let fault = format!("it has {}, the index says {}", count(&own.as_named()), count(&known));
        Some(Disagreement { key: Some(block.key.clone()), fault })
    }
}

fn count(links: &Named<'_>) -> String {
    match links {
        Named::None => "no links".to_owned(),
        Named::Unread => "no links that can be read".to_owned(),
        Named::Slots(slots) => format!("{} links that add up to {:016x}", slots.len() - 1, slots[0]),
    }
}
