//! Ordinals of keys that are asked for in ascending order: nothing is searched for while they go on as the index does.
//!
//! ```text
//!   group 1   a b . d . . g        of one header a pack's keys, and those of its notes: each in order
//!   group 2   . . c . . f .
//!   asked     a b c d   f g h      each group goes on to the key, or just past it; h is looked up, and is not there
//! ```
//! What is not met in this way is looked up like any other key, so the answer is [`Index::find`]'s, whatever the order.

use std::ops::Range;

use super::index::Index;
use super::keyed::{Short, header_len};

/// How far each group of the present header has been passed.
#[derive(Default)]
pub(crate) struct InOrder {
    header: Vec<u8>,
    left: Vec<Range<u32>>,
}

impl InOrder {
    /// The ordinal of the next key.
    pub(crate) fn find(&mut self, index: &Index, multihash: &[u8]) -> Option<u32> {
        let header = &multihash[..header_len(multihash)];
        if *header != *self.header {
            let same = index.ranges().filter(|(other, _)| *other == header);
            self.left = same.map(|(_, range)| range).collect();
            self.header = header.to_vec();
        }
        let short = index.keyed.short(multihash);
        self.left.iter_mut().find_map(|left| meet(index, left, short)).or_else(|| index.find_short(short))
    }
}

/// Passes all lesser ids. Those that are equal stay: other keys may share them.
fn meet(index: &Index, left: &mut Range<u32>, Short { id, check }: Short) -> Option<u32> {
    while left.start < left.end && index.id(left.start) < id {
        left.start += 1;
    }
    left.clone().take_while(|at| index.id(*at) == id).find(|at| index.check(*at) == check)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::keyed::{ID_BITS, Keyed};
    use super::*;

    const SHA: &[u8] = &[0x12, 0x20];
    const BLAKE: &[u8] = &[0xa0, 0xe4, 0x02, 0x20];

    fn key(header: &[u8], number: u64) -> Vec<u8> {
        [header, splitstore_domain::digest::blake2b_256(&number.to_le_bytes()).as_slice()].concat()
    }

    /// Sorted keys of these numbers.
    fn keys(header: &[u8], numbers: impl Iterator<Item = u64>) -> Vec<Vec<u8>> {
        let mut keys: Vec<Vec<u8>> = numbers.map(|number| key(header, number)).collect();
        keys.sort();
        keys
    }

    #[test]
    fn every_key_has_the_ordinal_that_a_look_up_gives_in_order_and_out_of_it() {
        for bits in [ID_BITS, 16, 4] {
            let keyed = Arc::new(Keyed::random(bits));
            let pack = [keys(SHA, 0..40), keys(BLAKE, (0..900).step_by(3))];
            let notes = [keys(SHA, 40..60), keys(BLAKE, (1..900).step_by(3))];
            let groups = |parts: &[Vec<Vec<u8>>; 2]| {
                let len = |keys: &Vec<Vec<u8>>| u32::try_from(keys.len()).unwrap();
                vec![(SHA.into(), len(&parts[0])), (BLAKE.into(), len(&parts[1]))]
            };
            let shorts = |parts: &[Vec<Vec<u8>>; 2]| -> Vec<Short> {
                parts.iter().flatten().map(|key| keyed.short(key)).collect()
            };
            let (ids, checks) = shorts(&pack).iter().map(|short| (short.id, short.check)).unzip();
            let mut index = Index::new(keyed.clone(), ids, checks, groups(&pack));
            index.append(shorts(&notes).into_iter(), groups(&notes));

            let mut asked = [keys(SHA, 0..70), keys(BLAKE, 0..900), keys(&[0x16, 0x20], 0..9)].concat();
            asked.sort();
            let mut in_order = InOrder::default();
            for key in &asked {
                assert_eq!(in_order.find(&index, key), index.find(key), "{bits} bits");
            }
            let found = asked.iter().filter(|key| index.find(key).is_some()).count();
            assert_eq!(found, 60 + 600);
            for key in asked.iter().rev() {
                assert_eq!(in_order.find(&index, key), index.find(key), "{bits} bits, backwards");
            }
        }
    }
}
