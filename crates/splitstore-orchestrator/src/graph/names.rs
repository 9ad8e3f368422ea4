//! Links as a scan finds them: by the ids of their targets, which are known when all blocks have been seen.
//!
//! ```text
//!   counts   one byte per block   0 no links | n slots | BIG: the first slot says how many | UNREAD
//!   slots    sum, name, name, ..  of each block with links, in the order of ordinals
//!
//!   name     id of the target (63 bits) | 1 if it is read as DAG-CBOR
//!   sum      of the checks of all targets, modulo 2^64
//! ```
//! At two to three links per block that is about 23 bytes per block, until they are resolved (`resolve.rs`).

use splitstore_ports::Reading;

/// More slots than a byte counts.
const BIG: u8 = 254;
/// No links are kept: the codec is another, or the block is no DAG-CBOR. Who walks it must read it.
const UNREAD: u8 = 255;

/// How a link stands before it is resolved.
pub(super) fn name(id: u64, reading: Reading) -> u64 {
    id | u64::from(reading == Reading::Dag)
}

/// The id of a name.
pub(super) const fn id(name: u64) -> u64 {
    name & !1
}

/// How a name says that its target is read.
pub(super) const fn reading(name: u64) -> Reading {
    if name & 1 == 1 { Reading::Dag } else { Reading::Opaque }
}

/// The links of one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named<'a> {
    /// There are none.
    None,
    /// They are not known.
    Unread,
    /// The sum, then the names.
    Slots(&'a [u64]),
}

/// The links of blocks that follow one another.
#[derive(Default)]
pub(super) struct Names {
    counts: Vec<u8>,
    slots: Vec<u64>,
    /// Where the slots of the block under way begin.
    at: usize,
}

impl Names {
    /// A block whose links are not known.
    pub(super) fn unread(&mut self) {
        self.slots.truncate(self.at);
        self.counts.push(UNREAD);
    }

    /// One more link of the block under way.
    pub(super) fn link(&mut self, name: u64, check: u64) {
        let slots = &mut self.slots;
        if slots.len() == self.at {
            slots.push(0);
        }
        slots.push(name);
        let sum = &mut slots[self.at];
        *sum = sum.wrapping_add(check);
    }

    /// The end of the block under way.
    pub(super) fn end_block(&mut self) {
        let slots = &mut self.slots;
        let len = slots.len() - self.at;
        let count = u8::try_from(len).ok().filter(|count| *count < BIG).unwrap_or(BIG);
        if count == BIG {
            slots.insert(self.at, len as u64 + 1);
        }
        self.counts.push(count);
        self.at = slots.len();
    }

    /// Slots of all blocks.
    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// Blocks so far.
    pub(super) fn len(&self) -> usize {
        self.counts.len()
    }

    /// The links of each block, in order.
    pub(super) fn blocks(&self) -> impl Iterator<Item = Named<'_>> {
        let mut rest = self.slots.as_slice();
        self.counts.iter().map(move |count| {
            let (skipped, len) = match *count {
                0 => return Named::None,
                UNREAD => return Named::Unread,
                BIG => (1, usize::try_from(rest[0]).expect("a length of memory")),
                count => (0, count.into()),
            };
            let (slots, behind) = rest.split_at(len);
            rest = behind;
            Named::Slots(&slots[skipped..])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_whatever_stands_before_it() {
        let mut names = Names::default();
        let lens: Vec<u64> = (0..200).map(|number| [0, 1, 7, 252, 253, 254, 700][number % 7]).collect();
        for (len, number) in lens.iter().zip(0_u64..) {
            (0..*len).for_each(|link| names.link(number * 10_000 + link, link + 1));
            if number % 5 == 4 { names.unread() } else { names.end_block() }
        }
        assert_eq!(names.len(), lens.len());
        let mut blocks = names.blocks();
        for (len, number) in lens.iter().zip(0_u64..) {
            let sum = len * (len + 1) / 2;
            let slots: Vec<u64> =
                std::iter::once(sum).chain((0..*len).map(|link| number * 10_000 + link)).collect();
            let expected = match (number % 5, *len) {
                (4, _) => Named::Unread,
                (_, 0) => Named::None,
                _ => Named::Slots(&slots),
            };
            assert_eq!(blocks.next(), Some(expected), "block {number} with {len} links");
        }
        assert_eq!(blocks.next(), None);
    }
}
