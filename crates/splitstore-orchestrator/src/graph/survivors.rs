//! What of a graph the link index keeps: the blocks that are marked, under new ordinals.
//!
//! ```text
//!   marked     o0  o2  o3 | o7 o9         old ordinals; a graph may have two layers, each in key order
//!   order      o0  o7  o2  o3  o9         merged: in key order again; the place is the new ordinal
//!   place      0   .   2   3   .  ..      back from old to new
//! ```
//! Only what is marked is kept, because that is what no purge deletes before the next run writes the next index. A block
//! all of whose links lead to kept blocks keeps them. One that has a link to a block which goes (an old header: its
//! messages leave, it stays) is to be read. Links that led out of hot stay by name.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use super::Bitmap;
use super::index::Index;
use super::links::{Known, LinkWriter, Links, moved, numbers, target};

/// No new ordinal.
const GONE: u32 = u32::MAX;

/// The marked part of a graph.
pub(crate) struct Survivors {
    index: Arc<Index>,
    links: Links,
    order: Vec<u32>,
    places: Vec<u32>,
    groups: Vec<(Box<[u8]>, u32)>,
}

impl Survivors {
    /// Of what is marked at this moment.
    pub(crate) fn new(index: Arc<Index>, links: Links, bitmap: &Bitmap) -> Self {
        let (mut order, mut groups) = (Vec::new(), Vec::new());
        let mut layers: Vec<(&[u8], Range<u32>)> = index.ranges().collect();
        layers.sort_by_key(|(header, _)| *header);
        for same in layers.chunk_by(|(one, _), (other, _)| one == other) {
            let before = order.len();
            for (_, range) in same {
                let marked: Vec<u32> = range.clone().filter(|old| bitmap.is_marked(*old)).collect();
                merge(&index, &mut order, before, marked);
            }
            let len = u32::try_from(order.len() - before).expect("fewer than all blocks");
            groups.push((same[0].0.into(), len));
        }
        let mut places = vec![GONE; index.len() as usize];
        for (new, old) in (0..).zip(&order) {
            places[*old as usize] = new;
        }
        Self { index, links, order, places, groups }
    }

    /// How many there are.
    pub(crate) const fn len(&self) -> usize {
        self.order.len()
    }

    /// Headers with how many keys each has.
    pub(crate) fn groups(&self) -> &[(Box<[u8]>, u32)] {
        &self.groups
    }

    /// Id and check of some of them.
    pub(crate) fn keys(&self, range: Range<usize>) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.order[range].iter().map(|old| (self.index.id(*old), self.index.check(*old)))
    }

    /// Counts and words of some of them, appended.
    pub(crate) fn links(&self, range: Range<usize>, counts: &mut Vec<u8>, words: &mut Vec<u32>) {
        let mut writer = LinkWriter { counts: std::mem::take(counts), words: std::mem::take(words) };
        let mut slots = Vec::new();
        for old in &self.order[range] {
            match self.links.at(self.links.place(*old)) {
                Known::Leaf => writer.leaf(),
                Known::Unread => writer.unread(),
                Known::Named(words) => {
                    slots.clear();
                    slots.extend(numbers(words));
                    writer.named(&slots);
                }
                Known::Edges(edges) => self.edges(edges, &mut writer),
            }
        }
        (*counts, *words) = (writer.counts, writer.words);
    }

    fn edges(&self, edges: &[u32], writer: &mut LinkWriter) {
        let place = |edge: &u32| self.places[target(*edge).0 as usize];
        if edges.iter().any(|edge| place(edge) == GONE) {
            return writer.unread();
        }
        writer.edges(edges.iter().map(|old| moved(*old, place(old))));
    }
}

/// Merges ordinals, in key order, into those from `begin` on, which are in key order, too.
fn merge(index: &Index, order: &mut Vec<u32>, begin: usize, more: Vec<u32>) {
    if order.len() == begin {
        return order.extend(more);
    }
    let had = order.split_off(begin);
    order.reserve(had.len() + more.len());
    let (mut had, mut more) = (had.into_iter().peekable(), more.into_iter().peekable());
    while let (Some(one), Some(other)) = (had.peek(), more.peek()) {
        let next = match index.id(*one).cmp(&index.id(*other)) {
            Ordering::Less | Ordering::Equal => had.next(),
            Ordering::Greater => more.next(),
        };
        order.extend(next);
    }
    order.extend(had);
    order.extend(more);
}
