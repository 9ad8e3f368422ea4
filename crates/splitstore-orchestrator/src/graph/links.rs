//! The links of every block of a snapshot, resolved and packed.
//!
//! ```text
//!   counts   one byte per block    0 no links | n edges | BIG: the first word says how many | NAMED | UNREAD
//!   words    edge, edge, ..        of each block with links, in the order of ordinals
//!            len, sum, name, ..    NAMED: two words a number, as in `names.rs`
//!   starts   one per 16 blocks     where the words of the first of them begin | 1 if a count is none
//!
//!   edge     ordinal of the target (31 bits) | 1 if it is read as DAG-CBOR
//! ```
//! At two to three links per block that is about 11 bytes per block. Edges were proved when they were resolved, and are
//! followed as they stand; the links of a `NAMED` block lead out of the snapshot, and are looked up each time.

use std::collections::HashSet;

use splitstore_ports::Reading;

use super::names;

/// Blocks per entry of `starts`.
const GROUP: usize = 16;
/// More edges than a byte counts.
const BIG: u8 = 253;
/// Links by name.
const NAMED: u8 = 254;
/// No links are kept: who walks it must read it.
const UNREAD: u8 = 255;

/// The links of blocks in key order.
pub(crate) struct Links {
    counts: Vec<u8>,
    words: Vec<u32>,
    starts: Vec<u64>,
}

/// What is known of a block's links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known<'a> {
    /// There are none.
    Leaf,
    /// The block must be read.
    Unread,
    /// All of them, as edges.
    Edges(&'a [u32]),
    /// All of them, by name; see [`numbers`].
    Named(&'a [u32]),
}

/// Where the words of a block are: found for many blocks before any of them is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    count: u8,
    at: usize,
}

/// Adds blocks one after the other.
#[derive(Default)]
pub(super) struct LinkWriter {
    pub(super) counts: Vec<u8>,
    pub(super) words: Vec<u32>,
}

/// An edge to a block, read as a name says.
pub(super) fn edge(ordinal: u32, name: u64) -> u32 {
    ordinal << 1 | u32::from(names::reading(name) == Reading::Dag)
}

/// The target of an edge, and how it is read.
pub(super) const fn target(edge: u32) -> (u32, Reading) {
    (edge >> 1, if edge & 1 == 1 { Reading::Dag } else { Reading::Opaque })
}

/// The same edge, to the ordinal that its target has elsewhere.
pub(super) const fn moved(edge: u32, to: u32) -> u32 {
    to << 1 | edge & 1
}

/// The numbers of a `Named` block: the sum, then the names.
pub(super) fn numbers(words: &[u32]) -> impl Iterator<Item = u64> + '_ {
    words.chunks_exact(2).map(|pair| u64::from(pair[0]) << u32::BITS | u64::from(pair[1]))
}

impl LinkWriter {
    /// With room for so many blocks and words.
    pub(super) fn with_capacity(blocks: usize, words: usize) -> Self {
        Self { counts: Vec::with_capacity(blocks), words: Vec::with_capacity(words) }
    }

    /// A block without links.
    pub(super) fn leaf(&mut self) {
        self.counts.push(0);
    }

    /// A block whose links are not known, or not sure.
    pub(super) fn unread(&mut self) {
        self.counts.push(UNREAD);
    }

    /// A block with these edges, one or more.
    pub(super) fn edges(&mut self, edges: impl ExactSizeIterator<Item = u32>) {
        let len = edges.len();
        let count = u8::try_from(len).ok().filter(|count| *count < BIG).unwrap_or(BIG);
        if count == BIG {
            self.words.push(length(len));
        }
        self.words.extend(edges);
        self.counts.push(count);
    }

    /// A block with links that lead out of the snapshot.
    pub(super) fn named(&mut self, slots: &[u64]) {
        self.words.push(length(2 * slots.len()));
        let halves = |slot: u64| [slot >> u32::BITS, slot & u64::from(u32::MAX)];
        let words = slots.iter().flat_map(|slot| halves(*slot));
        self.words.extend(words.map(|half| u32::try_from(half).expect("half a number")));
        self.counts.push(NAMED);
    }
}

/// Where the words of a group begin.
fn begin(start: u64) -> usize {
    usize::try_from(start >> 1).expect("a length of memory")
}

/// A block has as many bytes as links at least, and fewer than 4 GiB.
fn length(len: usize) -> u32 {
    u32::try_from(len).expect("links of one block")
}

/// What is wrong with counts and words of so many blocks, if anything: afterwards every block can be looked at.
pub(super) fn fault(counts: &[u8], words: &[u32], blocks: usize) -> Option<&'static str> {
    let is_block = |edge: &u32| (target(*edge).0 as usize) < blocks;
    let mut rest = words;
    for count in counts {
        let (skipped, len) = match *count {
            UNREAD => continue,
            BIG | NAMED => (1, rest.first().map_or(usize::MAX, |len| *len as usize)),
            count => (0, count.into()),
        };
        let Some((own, behind)) = rest.get(skipped..).and_then(|rest| rest.split_at_checked(len)) else {
            return Some("its links are cut");
        };
        if *count == NAMED && (len < 2 || len % 2 == 1) {
            return Some("a block's links by name are half numbers");
        }
        if *count != NAMED && !own.iter().all(is_block) {
            return Some("a link leads to a block that is not there");
        }
        rest = behind;
    }
    (!rest.is_empty()).then_some("it has links of no block")
}

impl Links {
    /// Of all counts and words, in the order of ordinals.
    pub(super) fn new(counts: Vec<u8>, words: Vec<u32>) -> Self {
        let mut links = Self { counts, words, starts: Vec::new() };
        links.start_groups(0, 0);
        links
    }

    /// Adds blocks behind all others, each part freed when it is copied.
    pub(super) fn append(&mut self, parts: Vec<LinkWriter>) {
        // The last group may not be full.
        let whole = self.counts.len() / GROUP;
        let begin = self.starts.get(whole).map_or(self.words.len(), |start| begin(*start));
        self.counts.reserve(parts.iter().map(|part| part.counts.len()).sum());
        self.words.reserve(parts.iter().map(|part| part.words.len()).sum());
        for part in parts {
            self.counts.extend_from_slice(&part.counts);
            self.words.extend_from_slice(&part.words);
        }
        self.start_groups(whole, begin);
    }

    /// Finds where groups begin, from this one on, which begins at `at`.
    fn start_groups(&mut self, first: usize, mut at: usize) {
        let mut starts = std::mem::take(&mut self.starts);
        starts.truncate(first);
        starts.reserve(self.counts.len().div_ceil(GROUP) - first);
        for group in self.counts[first * GROUP..].chunks(GROUP) {
            starts.push((at as u64) << 1 | u64::from(group.iter().any(|count| *count >= BIG)));
            at = group.iter().fold(at, |at, count| at + self.len_at(*count, at));
        }
        self.starts = starts;
    }

    /// The same links, but those of `doubted`, which have to be read.
    pub(super) fn without(&self, doubted: &HashSet<u32>) -> Self {
        let mut writer = LinkWriter::default();
        let mut at = 0;
        for (count, ordinal) in self.counts.iter().zip(0..) {
            let len = self.len_at(*count, at);
            if doubted.contains(&ordinal) {
                writer.unread();
            } else {
                writer.counts.push(*count);
                writer.words.extend_from_slice(&self.words[at..at + len]);
            }
            at += len;
        }
        Self::new(writer.counts, writer.words)
    }

    /// Whether a block is known to have no links.
    pub(super) fn is_leaf(&self, ordinal: u32) -> bool {
        self.counts[ordinal as usize] == 0
    }

    /// What is known of a block.
    #[cfg(test)]
    pub(super) fn of(&self, ordinal: u32) -> Known<'_> {
        self.at(self.place(ordinal))
    }

    /// Where what is known of a block is.
    pub(super) fn place(&self, ordinal: u32) -> Place {
        let ordinal = ordinal as usize;
        let start = self.starts[ordinal / GROUP];
        let begin = begin(start);
        let before = &self.counts[ordinal / GROUP * GROUP..ordinal];
        let at = if start & 1 == 0 {
            begin + before.iter().map(|count| usize::from(*count)).sum::<usize>()
        } else {
            before.iter().fold(begin, |at, count| at + self.len_at(*count, at))
        };
        Place { count: self.counts[ordinal], at }
    }

    /// What is known of the block of this place.
    pub(super) fn at(&self, Place { count, at }: Place) -> Known<'_> {
        match count {
            0 => Known::Leaf,
            UNREAD => Known::Unread,
            BIG => Known::Edges(&self.words[at + 1..at + self.len_at(count, at)]),
            NAMED => Known::Named(&self.words[at + 1..at + self.len_at(count, at)]),
            _ => Known::Edges(&self.words[at..at + usize::from(count)]),
        }
    }

    /// How many words a block takes that begins at `at`.
    fn len_at(&self, count: u8, at: usize) -> usize {
        match count {
            UNREAD => 0,
            BIG | NAMED => self.words[at] as usize + 1,
            count => count.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_known_whatever_stands_before_it() {
        let mut writer = LinkWriter::default();
        let lens: Vec<u32> = (0..200).map(|number| [0, 1, 7, 252, 253, 254, 700][number % 7]).collect();
        let slot = |number: u32, link: u32| u64::from(number) << 33 | u64::from(link);
        for (len, number) in lens.iter().zip(0_u32..) {
            match (number % 5, *len) {
                (4, _) => writer.unread(),
                (_, 0) => writer.leaf(),
                (3, _) => writer.named(&(0..*len).map(|link| slot(number, link)).collect::<Vec<_>>()),
                _ => writer.edges(
                    (0..usize::try_from(*len).unwrap())
                        .map(|link| edge(number * 1000 + u32::try_from(link).unwrap(), link as u64 % 2)),
                ),
            }
        }
        let links = Links::new(writer.counts, writer.words);
        for ((len, number), ordinal) in lens.iter().zip(0_u32..).zip(0..) {
            let known = links.of(ordinal);
            assert_eq!(links.is_leaf(ordinal), known == Known::Leaf);
            match (number % 5, *len) {
                (4, _) => assert_eq!(known, Known::Unread),
                (_, 0) => assert_eq!(known, Known::Leaf),
                (3, _) => {
                    let Known::Named(words) = known else { panic!("{known:?}") };
                    assert!(numbers(words).eq((0..*len).map(|link| slot(number, link))));
                }
                _ => {
                    let Known::Edges(edges) = known else { panic!("{known:?}") };
                    let targets = edges.iter().map(|edge| target(*edge));
                    let reading = |link| if link % 2 == 1 { Reading::Dag } else { Reading::Opaque };
                    assert!(targets.eq((0..*len).map(|link| (number * 1000 + link, reading(link)))));
                }
            }
        }
    }
}
