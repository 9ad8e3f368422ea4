//! An index over keys in any order, as [`crate::tenured`] gathers them.

use std::collections::BTreeMap;
use std::sync::Arc;

use splitstore_domain::BlockKey;

use super::index::Index;
use super::keyed::{Keyed, Short, header_len};

impl Index {
    /// Over these keys, beside those of `old` under the same secret; a key that comes twice is there once.
    pub(crate) fn gather<'a>(
        keyed: &Arc<Keyed>,
        old: Option<&Self>,
        keys: impl Iterator<Item = &'a BlockKey>,
    ) -> Self {
        let mut groups: BTreeMap<Box<[u8]>, Vec<Short>> = BTreeMap::new();
        for (header, shorts) in old.into_iter().flat_map(Self::grouped) {
            groups.insert(header.into(), shorts.collect());
        }
        for key in keys {
            let key = key.as_bytes();
            let header = &key[..header_len(key)];
            match groups.get_mut(header) {
                Some(shorts) => shorts.push(keyed.short(key)),
                None => _ = groups.insert(header.into(), vec![keyed.short(key)]),
            }
        }
        let (mut ids, mut checks, mut lens) = (Vec::new(), Vec::new(), Vec::new());
        for (header, mut shorts) in groups {
            // What was there is one ascending run already, which this sort makes use of.
            shorts.sort();
            shorts.dedup();
            lens.push((header, u32::try_from(shorts.len()).expect("fewer keys than ordinals")));
            ids.extend(shorts.iter().map(|short| short.id));
            checks.extend(shorts.iter().map(|short| short.check));
        }
        Self::new(keyed.clone(), ids, checks, lens)
    }

    /// Both names of every key.
    pub(crate) fn shorts(&self) -> impl Iterator<Item = Short> + '_ {
        self.ids.iter().zip(&self.checks).map(|(id, check)| Short { id: *id, check: *check })
    }
}

#[cfg(test)]
mod tests {
    use super::super::keyed::ID_BITS;
    use super::*;

    fn keys(numbers: std::ops::Range<u64>) -> Vec<BlockKey> {
        let key = |number: u64| {
            let digest = splitstore_domain::digest::blake2b_256(&number.to_le_bytes());
            let header: &[u8] =
                if number.is_multiple_of(3) { &[0x12, 0x20] } else { &[0xa0, 0xe4, 0x02, 0x20] };
            BlockKey::from_bytes(&[header, &digest].concat()).unwrap()
        };
        numbers.map(key).collect()
    }

    #[test]
    fn keys_that_come_in_parts_and_twice_are_each_found_and_no_others() {
        for bits in [ID_BITS, 8] {
            let keyed = Arc::new(Keyed::random(bits));
            let first = Index::gather(&keyed, None, keys(0..500).iter().rev());
            let both = Index::gather(&keyed, Some(&first), keys(400..900).iter());
            assert_eq!((first.len(), both.len()), (500, 900));
            assert_eq!(both.shorts().count(), 900);
            assert!(keys(0..900).iter().all(|key| both.find(key.as_bytes()).is_some()));
            assert!(keys(900..1500).iter().all(|key| both.find(key.as_bytes()).is_none()));
            assert!(both.shorts().all(|short| both.find_short(short).is_some()));
        }
    }
}
