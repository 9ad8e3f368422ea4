//! Blocks that came after a graph was written down, as notes tell of them: sorted, each once (`assemble.rs` puts them
//! behind the others).
//!
//! A block that was written more than once counts as written last.

use super::keyed::{Keyed, Short};
use super::names::{Named, name};
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
    place: Place,
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

/// Links of blocks one behind the other, in slabs, so that growing copies nothing.
///
/// ```text
///   block   slots u64, or LEAF, or UNREAD | slot u64 ..
/// ```
#[derive(Default)]
pub(super) struct Room {
    slabs: Vec<Vec<u64>>,
}

/// Where a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    slab: u32,
    at: u32,
}

/// Words of a slab; a block that is longer has one of its own.
const SLAB: usize = 1 << 16;
const LEAF: u64 = 0;
const UNREAD: u64 = u64::MAX;
/// Blocks that are fetched together.
const STAGE: usize = 32;

impl Room {
    fn add(&mut self, noted: Noted<'_>) -> Place {
        let (head, slots): (u64, &[u64]) = match noted {
            Noted::Leaf => (LEAF, &[]),
            Noted::Unread => (UNREAD, &[]),
            Noted::Links(slots) => (slots.len() as u64, slots),
        };
        let len = 1 + slots.len();
        if self.slabs.last().is_none_or(|slab| slab.capacity() - slab.len() < len) {
            self.slabs.push(Vec::with_capacity(SLAB.max(len)));
        }
        let number = self.slabs.len() - 1;
        let slab = &mut self.slabs[number];
        let short = |place: usize| u32::try_from(place).expect("notes are fewer than 2^32 slabs");
        let place = Place { slab: short(number), at: short(slab.len()) };
        slab.push(head);
        slab.extend_from_slice(slots);
        place
    }

    /// What was noted of a block.
    pub(super) fn named(&self, block: &Block) -> Named<'_> {
        let words = &self.slabs[block.place.slab as usize][block.place.at as usize..];
        match words[0] {
            LEAF => Named::None,
            UNREAD => Named::Unread,
            slots => Named::Slots(&words[1..][..usize::try_from(slots).expect("a length of memory")]),
        }
    }

    /// The same of many. They lie far apart: the processor is told of some before the first is looked at.
    pub(super) fn each<'a>(&'a self, blocks: &'a [Block]) -> impl Iterator<Item = Named<'a>> {
        blocks.chunks(STAGE).flat_map(|part| {
            let word = |block: &Block| self.slabs[block.place.slab as usize][block.place.at as usize];
            std::hint::black_box(part.iter().fold(0, |all, block| all ^ word(block)));
            part.iter().map(|block| self.named(block))
        })
    }
}
