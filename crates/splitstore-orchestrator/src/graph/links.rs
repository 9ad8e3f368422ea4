//! The links of every block of a snapshot, packed.
//!
//! ```text
//!   counts   one byte per block   0 no links | n slots | BIG: the first slot says how many | UNREAD
//!   slots    sum, edge, edge, ..  of each block with links, in the order of ordinals
//!   starts   one per 16 blocks    where the slots of the first of them begin
//!
//!   edge     id of the target (63 bits) | 1 if it is read as DAG-CBOR
//!   sum      of the checks of all targets, modulo 2^64
//! ```
//! At two to three links per block that is about 23 bytes per block.

/// Blocks per entry of `starts`.
const GROUP: usize = 16;
/// More slots than a byte counts.
const BIG: u8 = 254;
/// No links are kept: the codec is another, or the block is no DAG-CBOR. Who walks it must read it.
const UNREAD: u8 = 255;

/// The links of blocks in key order.
pub(super) struct Links {
    counts: Vec<u8>,
    slots: Vec<u64>,
    starts: Vec<u64>,
}

/// What is known of a block's links.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Known<'a> {
    /// There are none.
    Leaf,
    /// The block must be read.
    Unread,
    /// All of them.
    Links { sum: u64, edges: &'a [u64] },
}

/// Adds blocks one after the other.
#[derive(Default)]
pub(super) struct LinkWriter {
    pub(super) counts: Vec<u8>,
    pub(super) slots: Vec<u64>,
    /// Where the slots of the block under way begin.
    at: usize,
}

impl LinkWriter {
    /// A block whose links are not known.
    pub(super) fn unread(&mut self) {
        self.slots.truncate(self.at);
        self.counts.push(UNREAD);
    }

    /// One more link of the block under way.
    pub(super) fn link(&mut self, edge: u64, check: u64) {
        let slots = &mut self.slots;
        if slots.len() == self.at {
            slots.push(0);
        }
        slots.push(edge);
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
}

impl Links {
    /// Of all counts and slots, in the order of ordinals.
    pub(super) fn new(counts: Vec<u8>, slots: Vec<u64>) -> Self {
        let mut links = Self { counts, slots, starts: Vec::new() };
        let mut starts = Vec::with_capacity(links.counts.len().div_ceil(GROUP));
        let mut at = 0;
        for group in links.counts.chunks(GROUP) {
            starts.push(at as u64);
            at = group.iter().fold(at, |at, count| at + links.len_at(*count, at));
        }
        links.starts = starts;
        links
    }

    /// What is known of a block.
    pub(super) fn of(&self, ordinal: u32) -> Known<'_> {
        let ordinal = ordinal as usize;
        let count = self.counts[ordinal];
        match count {
            0 => return Known::Leaf,
            UNREAD => return Known::Unread,
            _ => {}
        }
        let start = self.starts[ordinal / GROUP];
        let before = &self.counts[ordinal / GROUP * GROUP..ordinal];
        let begin = usize::try_from(start).expect("a length of memory");
        let at = before.iter().fold(begin, |at, count| at + self.len_at(*count, at));
        let slots = &self.slots[at..at + self.len_at(count, at)];
        let slots = if count == BIG { &slots[1..] } else { slots };
        Known::Links { sum: slots[0], edges: &slots[1..] }
    }

    /// How many slots a block takes that begins at `at`.
    fn len_at(&self, count: u8, at: usize) -> usize {
        match count {
            UNREAD => 0,
            BIG => usize::try_from(self.slots[at]).expect("a length of memory"),
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
        let lens: Vec<u64> = (0..200).map(|number| [0, 1, 7, 252, 253, 254, 700][number % 7]).collect();
        for (len, number) in lens.iter().zip(0_u64..) {
            (0..*len).for_each(|link| writer.link(number * 10_000 + link, link + 1));
            if number % 5 == 4 { writer.unread() } else { writer.end_block() }
        }
        let links = Links::new(writer.counts, writer.slots);
        for ((len, number), ordinal) in lens.iter().zip(0_u64..).zip(0..) {
            let edges: Vec<u64> = (0..*len).map(|link| number * 10_000 + link).collect();
            let expected = match (number % 5, *len) {
                (4, _) => Known::Unread,
                (_, 0) => Known::Leaf,
                _ => Known::Links { sum: len * (len + 1) / 2, edges: &edges },
            };
            assert_eq!(links.of(ordinal), expected, "block {number} with {len} links");
        }
    }
}
