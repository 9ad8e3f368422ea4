//! Does every header lie above its parents? A look at headers as they pass, in bounded memory.
//!
//! ```text
//!   stream   .. child(h=9) .. state, messages .. parent(h=8) ..      or the other way round
//!            [----------- last 65536 headers, compared -----------]
//! ```
//! Archives keep parents close to their children. A pair that is farther apart is not compared here; the walk of
//! the chain refuses it when it gets there.

use std::collections::{HashMap, VecDeque};

use cid::Cid;
use splitstore_domain::Epoch;
use splitstore_domain::object::DAG_CBOR;
use splitstore_filecoin::BlockHeader;

/// Headers remembered: about 10 MiB.
const REMEMBERED: usize = 1 << 16;
/// A header is a CBOR array of 16 items, which this byte begins.
const TUPLE_OF_16: u8 = 0x90;

/// The headers that passed lately.
#[derive(Default)]
pub(super) struct HeaderOrder {
    heights: Recent<Epoch>,
    /// By parent: a child of it, and the child's height, the lowest if there are several.
    children: Recent<(Cid, Epoch)>,
}

/// A header and one of its parents in the wrong order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Inverted {
    pub(super) child: (Cid, Epoch),
    pub(super) parent: (Cid, Epoch),
}

impl HeaderOrder {
    /// Looks at a block, whatever it is.
    pub(super) fn look(&mut self, cid: &Cid, data: &[u8]) -> Result<(), Inverted> {
        // Under any other codec the same bytes are data, and no chain leads through them.
        if cid.codec() != DAG_CBOR || data.first() != Some(&TUPLE_OF_16) {
            return Ok(());
        }
        let Ok(header) = BlockHeader::decode(data) else { return Ok(()) };
        self.compare(cid, header.height, header.built_on().cids())
    }

    fn compare(&mut self, cid: &Cid, height: Epoch, parents: &[Cid]) -> Result<(), Inverted> {
        let this = (*cid, height);
        if let Some(&child) = self.children.get(cid)
            && child.1 <= height
        {
            return Err(Inverted { child, parent: this });
        }
        for parent in parents {
            if let Some(&parent_height) = self.heights.get(parent)
                && parent_height >= height
            {
                return Err(Inverted { child: this, parent: (*parent, parent_height) });
            }
            let lower = self.children.get(parent).is_none_or(|child| height < child.1);
            if lower {
                self.children.insert(*parent, this);
            }
        }
        self.heights.insert(*cid, height);
        Ok(())
    }
}

/// A map that forgets what came first.
struct Recent<V> {
    values: HashMap<Cid, V>,
    order: VecDeque<Cid>,
}

impl<V> Default for Recent<V> {
    fn default() -> Self {
        Self { values: HashMap::new(), order: VecDeque::new() }
    }
}

impl<V> Recent<V> {
    fn get(&self, cid: &Cid) -> Option<&V> {
        self.values.get(cid)
    }

    fn insert(&mut self, cid: Cid, value: V) {
        if self.values.insert(cid, value).is_some() {
            return;
        }
        self.order.push_back(cid);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.values.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use cid::multihash::Multihash;

    use super::*;

    fn cid(number: u8) -> Cid {
        Cid::new_v1(0x71, Multihash::wrap(0x12, &[number; 32]).unwrap())
    }

    fn pair(child: u64, parent: u64) -> Inverted {
        Inverted { child: (cid(2), Epoch::new(child)), parent: (cid(1), Epoch::new(parent)) }
    }

    #[test]
    fn a_parent_at_the_childs_height_is_found_whichever_comes_first() {
        let mut order = HeaderOrder::default();
        order.compare(&cid(1), Epoch::new(5), &[]).unwrap();
        assert_eq!(order.compare(&cid(2), Epoch::new(5), &[cid(1)]), Err(pair(5, 5)));

        let mut order = HeaderOrder::default();
        order.compare(&cid(2), Epoch::new(5), &[cid(1)]).unwrap();
        assert_eq!(order.compare(&cid(1), Epoch::new(9), &[]), Err(pair(5, 9)));
    }

    #[test]
    fn headers_above_their_parents_pass_whichever_comes_first() {
        let mut order = HeaderOrder::default();
        order.compare(&cid(3), Epoch::new(9), &[cid(1), cid(2)]).unwrap();
        order.compare(&cid(1), Epoch::new(8), &[cid(0)]).unwrap();
        order.compare(&cid(0), Epoch::new(7), &[]).unwrap();
        order.compare(&cid(4), Epoch::new(8), &[cid(0)]).unwrap();
    }

    #[test]
    fn only_dag_cbor_is_taken_for_a_header() {
        let header = header_built_on(&cid(1));
        let of = |codec| Cid::new_v1(codec, Multihash::wrap(0x12, &[2; 32]).unwrap());
        let look = |codec| {
            let mut order = HeaderOrder::default();
            order.compare(&cid(1), Epoch::new(7), &[]).unwrap();
            order.look(&of(codec), &header)
        };
        assert_eq!(look(0x55), Ok(()));
        assert_eq!(look(0x51), Ok(()));
        assert_eq!(look(0x71), Err(pair(5, 7)));
    }

    /// A header of height 5.
    fn header_built_on(parent: &Cid) -> Vec<u8> {
        let link = |cid: &Cid| [&[0xd8, 0x2a, 0x58, 0x25, 0x00], cid.to_bytes().as_slice()].concat();
        let (none, null, zero, five) = (vec![0x80], vec![0xf6], vec![0x00], vec![0x05]);
        let (bytes, parents) = (vec![0x40], [&[0x81], link(parent).as_slice()].concat());
        let fields = [
            vec![TUPLE_OF_16],
            bytes.clone(),
            null.clone(),
            null.clone(),
            none.clone(),
            none,
            parents,
            vec![0x41, 0x00],
            five,
            link(parent),
            link(parent),
            link(parent),
            null.clone(),
            zero.clone(),
            null,
            zero,
            bytes,
        ];
        fields.concat()
    }
}
