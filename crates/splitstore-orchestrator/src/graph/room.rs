//! Links of added blocks, one behind the other as they were written, in slabs: growing copies nothing.
//!
//! ```text
//!   slab    block block ..              64 Ki words
//!   block   LEAF | UNREAD               one word
//!           n | sum | name ..           as noted: n slots
//!           EDGES + n | - | edge ..     resolved: n edges in the place of names
//! ```

use super::added::Noted;
use super::index::Index;
use super::links::LinkWriter;
use super::names::Named;
use super::resolver::Resolver;
use super::spread::spread;

/// The links of added blocks.
#[derive(Default)]
pub(super) struct Room {
    slabs: Vec<Vec<u64>>,
}

/// Where a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    slab: u32,
    at: u32,
}

/// Words of a slab; a block that is longer has one of its own.
const SLAB: usize = 1 << 16;
const LEAF: u64 = 0;
const UNREAD: u64 = u64::MAX;
/// Edges instead of slots, one less.
const EDGES: u64 = 1 << 63;
/// Blocks that are fetched together.
const STAGE: usize = 32;
/// Parts for each thread, when links are resolved.
const PARTS: usize = 2;

impl Room {
    /// Adds the links of a block.
    pub(super) fn add(&mut self, noted: Noted<'_>) -> Place {
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
        let part = |place: usize| u32::try_from(place).expect("fewer than 2^32 slabs");
        let place = Place { slab: part(number), at: part(slab.len()) };
        slab.push(head);
        slab.extend_from_slice(slots);
        place
    }

    /// What was noted of a block, before it was resolved.
    pub(super) fn named(&self, place: Place) -> Named<'_> {
        match self.at(place) {
            Kept::Leaf => Named::None,
            Kept::Named(slots) => Named::Slots(slots),
            Kept::Unread | Kept::Edges(_) => Named::Unread,
        }
    }

    /// Puts edges in the place of names, where all names of a block lead to ordinals and add up.
    ///
    /// Blocks that were written one after the other name much the same: what one part of them has met is kept at hand.
    pub(super) fn resolve(&mut self, index: &Index, threads: usize) {
        let slabs = self.slabs.len().div_ceil(threads.max(1) * PARTS).max(1);
        spread(self.slabs.chunks_mut(slabs).collect(), threads, |slabs: &mut [Vec<u64>]| {
            let mut resolver = Resolver::new(index);
            for slab in slabs {
                resolver.resolve(slab);
            }
        });
    }

    /// Writes the links of blocks. They lie far apart: the processor is told of some before the first is looked at.
    pub(super) fn write(&self, places: &[Place], writer: &mut LinkWriter) {
        for part in places.chunks(STAGE) {
            let word = |place: &Place| self.slabs[place.slab as usize][place.at as usize];
            std::hint::black_box(part.iter().fold(0, |all, place| all ^ word(place)));
            for place in part {
                match self.at(*place) {
                    Kept::Leaf => writer.leaf(),
                    Kept::Unread => writer.unread(),
                    Kept::Named(slots) => writer.named(slots),
                    Kept::Edges(edges) => writer.edges(edges.iter().map(|edge| short(*edge))),
                }
            }
        }
    }

    fn at(&self, Place { slab, at }: Place) -> Kept<'_> {
        let words = &self.slabs[slab as usize][at as usize..];
        kept(words[0], &words[1..])
    }
}

/// What a block of this head has, whose slots `rest` begins with.
fn kept(head: u64, rest: &[u64]) -> Kept<'_> {
    match head {
        LEAF => Kept::Leaf,
        UNREAD => Kept::Unread,
        slots if slots & EDGES == 0 => Kept::Named(&rest[..length(slots)]),
        edges => Kept::Edges(&rest[1..=length(edges & !EDGES)]),
    }
}

/// Where the next block of a slab begins.
pub(super) fn next(slab: &[u64], at: usize) -> usize {
    match slab[at] {
        LEAF | UNREAD => at + 1,
        head => at + 1 + length(head & !EDGES) + usize::from(head & EDGES != 0),
    }
}

/// The slots of the block that begins there, if it has links by name.
pub(super) fn slots(slab: &[u64], at: usize) -> Option<&[u64]> {
    match kept(slab[at], &slab[at + 1..]) {
        Kept::Named(slots) => Some(slots),
        Kept::Leaf | Kept::Unread | Kept::Edges(_) => None,
    }
}

/// The block that begins there is to be read. Its slots stay where they are, and are blocks of no place.
pub(super) fn doubt(slab: &mut [u64], at: usize) {
    slab[at] = UNREAD;
}

/// Puts edges in the place of the names of the block that begins there.
pub(super) fn put_edges(slab: &mut [u64], at: usize, edges: impl ExactSizeIterator<Item = u32>) {
    slab[at] = EDGES | edges.len() as u64;
    slab[at + 2..].iter_mut().zip(edges).for_each(|(slot, edge)| *slot = edge.into());
}

fn length(number: u64) -> usize {
    usize::try_from(number).expect("a length of memory")
}

fn short(edge: u64) -> u32 {
    u32::try_from(edge).expect("an edge was put there")
}

/// What is kept of a block's links.
enum Kept<'a> {
    Leaf,
    Unread,
    /// The sum, then the names.
    Named(&'a [u64]),
    Edges(&'a [u64]),
}
