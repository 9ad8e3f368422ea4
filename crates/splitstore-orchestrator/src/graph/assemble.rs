//! A graph of what was read and what was added since: that is put behind all others.
//!
//! ```text
//!   ordinals   | 0 .. of the pack, in key order | of what was added, in key order among itself |
//! ```
//! What the graph holds already stays as it is, if the note says the same. If it does not, somebody has put other data
//! under the key: then neither is believed, and whoever walks the block reads it.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use splitstore_ports::Result;

use super::added::{Added, Group};
use super::build::too_many;
use super::facts::fact;
use super::index::Index;
use super::keyed::{Keyed, Short};
use super::links::{LinkWriter, Links};
use super::names::Named;
use super::parts::Parts;
use super::room::{Place, Room};
use super::spread::spread;

/// Blocks written at a time.
const PART: usize = 1 << 16;

/// The graph, made on so many threads; what was added is sorted.
pub(super) fn assemble(
    parts: Parts,
    added: Added,
    keyed: &Arc<Keyed>,
    threads: usize,
) -> Result<(Index, Links)> {
    let Parts { groups, ids, checks, counts, words } = parts;
    let mut index = Index::new(keyed.clone(), ids, checks, groups);
    let mut links = Links::new(counts, words);
    let (mut groups, room) = added.into_parts();
    let mut doubted = HashSet::new();
    for group in &mut groups {
        take_known(&index, &links, group, &room, &mut doubted);
    }
    let new: usize = groups.iter().map(|group| group.blocks.len()).sum();
    if index.ids.len() + new > super::BLOCKS_MAX as usize {
        return Err(too_many(index.ids.len() + new));
    }
    if !doubted.is_empty() {
        links = links.without(&doubted);
    }
    append(&mut index, &mut links, groups, room, threads);
    Ok((index, links))
}

/// Leaves the blocks of a group that the index lacks; of the others, `doubted` are those that it has with other links.
fn take_known(index: &Index, links: &Links, group: &mut Group, room: &Room, doubted: &mut HashSet<u32>) {
    let same = index.ranges().filter(|(header, _)| **header == *group.header);
    let mut ranges: Vec<Range<u32>> = same.map(|(_, range)| range).collect();
    let mut slots = Vec::new();
    group.blocks.retain(|block| {
        let Some(known) = ranges.iter_mut().find_map(|range| advance(index, range, block.short)) else {
            return true;
        };
        match fact(index, links, known, &mut slots) {
            Named::Unread => {}
            fact if fact == room.named(block.place) => {}
            _ => _ = doubted.insert(known),
        }
        false
    });
}

/// The ordinal of a key, if it is in this range, which then begins at its id: the next key is not below it.
fn advance(index: &Index, range: &mut Range<u32>, short: Short) -> Option<u32> {
    while range.start < range.end && index.id(range.start) < short.id {
        range.start += 1;
    }
    let mut same = range.clone().take_while(|ordinal| index.id(*ordinal) == short.id);
    same.find(|ordinal| index.check(*ordinal) == short.check)
}

fn append(index: &mut Index, links: &mut Links, groups: Vec<Group>, mut room: Room, threads: usize) {
    let shorts = || groups.iter().flat_map(|group| group.blocks.iter().map(|block| block.short));
    let len = |group: &Group| u32::try_from(group.blocks.len()).expect("fewer than all blocks");
    let lens = groups.iter().filter(|group| !group.blocks.is_empty());
    let lens = lens.map(|group| (group.header.clone(), len(group))).collect();
    index.append(shorts(), lens);
    // From here on only places are asked for: of a group at a time, as all are held while they are copied.
    let places = |group: Group| group.blocks.into_iter().map(|block| block.place).collect();
    let places: Vec<Vec<Place>> = groups.into_iter().map(places).collect();
    room.resolve(index, threads);
    let parts: Vec<&[Place]> = places.iter().flat_map(|places| places.chunks(PART)).collect();
    // A few at a time: what was written is copied once more, and that is to be no second copy of everything.
    for parts in parts.chunks(threads.max(1)) {
        let written = spread(parts.to_vec(), threads, |part| {
            let mut writer = LinkWriter::with_capacity(part.len(), 0);
            room.write(part, &mut writer);
            writer
        });
        links.append(written);
    }
}

#[cfg(test)]
mod tests {
    use super::super::added::Noted;
    use super::super::keyed::ID_BITS;
    use super::super::names::name;
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
            added.sort();
            let (index, links) = assemble(parts(&keyed, &[1, 2, 4]), added, &keyed, 2).unwrap();
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
