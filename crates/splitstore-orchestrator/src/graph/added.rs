//! Blocks that came after a graph was written down, as notes tell of them: sorted, each once (`assemble.rs` puts them
//! behind the others).
//!
//! A block that was written more than once counts as written last.

use super::keyed::{Keyed, Short};
use super::names::{Named, name};
use super::room::{Place, Room};
use crate::children::children_of;

/// What a note says of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noted<'a> {
    /// It has no links.
    Leaf,
    /// It has to be read.
    Unread,
    /// The sum of its targets' checks, then their names.
    Links(&'a [u64]),
}

impl<'a> Noted<'a> {
    pub(super) const fn as_named(&self) -> Named<'a> {
        match *self {
            Self::Leaf => Named::None,
            Self::Unread => Named::Unread,
            Self::Links(slots) => Named::Slots(slots),
        }
    }
}

/// The links of a block that is read as DAG-CBOR; `slots` is room for them.
pub(crate) fn links_of<'a>(data: &[u8], keyed: &Keyed, slots: &'a mut Vec<u64>) -> Noted<'a> {
    slots.clear();
    let scanned = children_of(data, |link, reading| {
        let short = keyed.short(link.multihash());
        if slots.is_empty() {
            slots.push(0);
        }
        slots.push(name(short.id, reading));
        slots[0] = slots[0].wrapping_add(short.check);
    });
    match scanned {
        Err(_) => Noted::Unread,
        Ok(()) if slots.is_empty() => Noted::Leaf,
        Ok(()) => Noted::Links(slots),
    }
}

/// Blocks as notes tell of them, in the order in which they were written.
#[derive(Default)]
pub(crate) struct Added {
    groups: Vec<Group>,
    /// Where the group of the block before is: nearly all keys of a store have one header.
    last: usize,
    room: Room,
}

/// Blocks of one header.
pub(super) struct Group {
    pub(super) header: Box<[u8]>,
    pub(super) blocks: Vec<Block>,
}

/// One block; the later of two that were written has the greater place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Block {
    pub(super) short: Short,
    pub(super) place: Place,
}

impl Added {
    /// One more block.
    pub(crate) fn push(&mut self, header: &[u8], short: Short, noted: Noted<'_>) {
        let is_own = |group: &Group| *group.header == *header;
        if !self.groups.get(self.last).is_some_and(is_own) {
            self.last = self.groups.iter().position(is_own).unwrap_or_else(|| {
                self.groups.push(Group { header: header.into(), blocks: Vec::new() });
                self.groups.len() - 1
            });
        }
        let place = self.room.add(noted);
        self.groups[self.last].blocks.push(Block { short, place });
    }

    /// How many were written, each time counted.
    pub(crate) fn len(&self) -> usize {
        self.groups.iter().map(|group| group.blocks.len()).sum()
    }

    /// Puts them in the order of keys and leaves the last write of each.
    pub(crate) fn sort(&mut self) {
        self.groups.sort_by(|one, other| one.header.cmp(&other.header));
        self.last = 0;
        for Group { blocks, .. } in &mut self.groups {
            blocks.sort_unstable();
            blocks.dedup_by(|later, earlier| {
                let same = later.short == earlier.short;
                if same {
                    *earlier = *later;
                }
                same
            });
        }
    }

    /// The blocks of each header, and where their links are.
    pub(super) fn into_parts(self) -> (Vec<Group>, Room) {
        (self.groups, self.room)
    }
}
