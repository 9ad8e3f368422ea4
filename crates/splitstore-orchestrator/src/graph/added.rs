//! Blocks that came after a graph was written down: sorted, each once, and put behind all others.
//!
//! ```text
//!   ordinals   | 0 .. of the pack, in key order | of what was added, in key order among itself |
//! ```
//! A block that was written more than once counts as written last. What the graph holds already stays as it is, if the
//! note says the same. If it does not, somebody has put other data under the key: then neither is believed, and whoever
//! walks the block reads it.

use std::collections::HashSet;

use splitstore_ports::Result;

use super::build::too_many;
use super::facts::fact;
use super::index::Index;
use super::keyed::{Keyed, Short};
use super::links::{LinkWriter, Links};
use super::names::{Named, Names, name};
use super::parts::Parts;
use super::resolve::resolve;
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
    headers: Vec<Box<[u8]>>,
    blocks: Vec<AddedBlock>,
    slots: Vec<u64>,
}

#[derive(Clone, Copy)]
struct AddedBlock {
    header: u32,
    short: Short,
    links: Kept,
}

#[derive(Clone, Copy)]
enum Kept {
    Leaf,
    Unread,
    /// Where its slots are.
    Links {
        at: usize,
        len: u32,
    },
}

impl Added {
    /// One more block.
    pub(crate) fn push(&mut self, header: &[u8], short: Short, noted: Noted<'_>) {
        // Nearly all keys of a store have one header.
        let known = self.headers.iter().position(|known| **known == *header);
        let header = known.unwrap_or_else(|| {
            self.headers.push(header.into());
            self.headers.len() - 1
        });
        let links = match noted {
            Noted::Leaf => Kept::Leaf,
            Noted::Unread => Kept::Unread,
            Noted::Links(slots) => {
                let at = self.slots.len();
                self.slots.extend_from_slice(slots);
                Kept::Links { at, len: u32::try_from(slots.len()).expect("links of one block") }
            }
        };
        let header = u32::try_from(header).expect("few headers");
        self.blocks.push(AddedBlock { header, short, links });
    }

    /// How many were written, each time counted.
    pub(crate) fn len(&self) -> usize {
        self.blocks.len()
    }

    /// In the order of keys, the last write of each.
    fn sorted(&mut self) -> Vec<AddedBlock> {
        let headers = &self.headers;
        let mut blocks = std::mem::take(&mut self.blocks);
        let place =
            |block: &AddedBlock| (headers[block.header as usize].as_ref(), block.short.id, block.short.check);
        blocks.sort_by(|one, other| place(one).cmp(&place(other)));
        let mut last: Vec<AddedBlock> = Vec::with_capacity(blocks.len());
        for block in blocks {
            match last.last_mut() {
                Some(before) if place(before) == place(&block) => *before = block,
                _ => last.push(block),
            }
        }
        last
    }

    fn named(&self, block: &AddedBlock) -> Named<'_> {
        match block.links {
            Kept::Leaf => Named::None,
            Kept::Unread => Named::Unread,
            Kept::Links { at, len } => Named::Slots(&self.slots[at..at + len as usize]),
        }
    }
}

/// A graph of what was read and what was added since.
pub(super) fn assemble(
    parts: Parts,
    mut added: Added,
    keyed: &std::sync::Arc<Keyed>,
) -> Result<(Index, Links)> {
    let Parts { groups, ids, checks, counts, words } = parts;
    let mut index = Index::new(keyed.clone(), ids, checks, groups);
    let mut links = Links::new(counts, words);
    let blocks = added.sorted();
    let (mut new, mut doubted, mut slots) = (Vec::with_capacity(blocks.len()), HashSet::new(), Vec::new());
    for block in blocks {
        let header = &added.headers[block.header as usize];
        match index.find_in(header, block.short) {
            None => new.push(block),
            Some(known) => match fact(&index, &links, known, &mut slots) {
                Named::Unread => {}
                fact if fact == added.named(&block) => {}
                _ => {
                    doubted.insert(known);
                }
            },
        }
    }
    if index.ids.len() + new.len() > super::BLOCKS_MAX as usize {
        return Err(too_many(index.ids.len() + new.len()));
    }
    if !doubted.is_empty() {
        links = links.without(&doubted);
    }
    append(&mut index, &mut links, &added, &new);
    Ok((index, links))
}

fn append(index: &mut Index, links: &mut Links, added: &Added, new: &[AddedBlock]) {
    let mut groups: Vec<(Box<[u8]>, u32)> = Vec::new();
    let mut names = Names::default();
    for block in new {
        let header = &added.headers[block.header as usize];
        match groups.last_mut() {
            Some((last, len)) if *last == *header => *len += 1,
            _ => groups.push((header.clone(), 1)),
        }
        names.put(added.named(block));
    }
    let (ids, checks): (Vec<u64>, Vec<u64>) =
        new.iter().map(|block| (block.short.id, block.short.check)).unzip();
    index.append(&ids, &checks, groups);
    let LinkWriter { counts, words } = resolve(&names, index);
    links.append(&counts, &words);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::keyed::ID_BITS;
    use super::*;

    const HEADER: &[u8] = &[0x12, 0x20];

    fn key(number: u8) -> Vec<u8> {
        [HEADER, &[number; 32]].concat()
    }

    fn parts(keyed: &Keyed, numbers: &[u8]) -> Parts {
        let shorts: Vec<Short> = numbers.iter().map(|number| keyed.short(&key(*number))).collect();
        let mut writer = LinkWriter::default();
        for _ in numbers {
            writer.leaf();
        }
        Parts {
            groups: vec![(HEADER.into(), u32::try_from(numbers.len()).unwrap())],
            ids: shorts.iter().map(|short| short.id).collect(),
            checks: shorts.iter().map(|short| short.check).collect(),
            counts: writer.counts,
            words: writer.words,
        }
    }

    fn slots(keyed: &Keyed, targets: &[u8]) -> Vec<u64> {
        let shorts: Vec<Short> = targets.iter().map(|target| keyed.short(&key(*target))).collect();
        let sum = shorts.iter().fold(0_u64, |sum, short| sum.wrapping_add(short.check));
        let names = shorts.iter().map(|short| name(short.id, splitstore_ports::Reading::Dag));
        std::iter::once(sum).chain(names).collect()
    }

    fn known(index: &Index, links: &Links, number: u8) -> Option<Vec<u64>> {
        let mut room = Vec::new();
        match fact(index, links, index.find(&key(number))?, &mut room) {
            Named::Unread => None,
            Named::None => Some(Vec::new()),
            Named::Slots(slots) => Some(slots.to_vec()),
        }
    }

    #[test]
    fn what_was_written_last_counts_and_what_contradicts_the_pack_is_read() {
        for bits in [ID_BITS, 8, 2] {
            let keyed = Arc::new(Keyed::random(bits));
            let mut added = Added::default();
            let add = |added: &mut Added, number: u8, targets: &[u8]| {
                let (short, slots) = (keyed.short(&key(number)), slots(&keyed, targets));
                let noted = if targets.is_empty() { Noted::Leaf } else { Noted::Links(&slots) };
                added.push(HEADER, short, noted);
            };
            add(&mut added, 9, &[1]);
            add(&mut added, 4, &[]);
            add(&mut added, 3, &[1, 9]);
            add(&mut added, 9, &[2, 200]);
            add(&mut added, 2, &[7]);
            let (index, links) = assemble(parts(&keyed, &[1, 2, 4]), added, &keyed).unwrap();
            assert_eq!(index.len(), 5, "{bits} bits");
            assert_eq!(known(&index, &links, 1), Some(vec![]));
            assert_eq!(known(&index, &links, 4), Some(vec![]), "said again");
            assert_eq!(known(&index, &links, 2), None, "a leaf in the pack, and now it has a link");
            if bits == ID_BITS {
                assert_eq!(known(&index, &links, 3), Some(slots(&keyed, &[1, 9])));
                assert_eq!(known(&index, &links, 9), Some(slots(&keyed, &[2, 200])));
            }
        }
    }
}
