//! An index over keys in any order, as [`crate::tenured`] gathers them.

use std::sync::Arc;

use splitstore_domain::BlockKey;

use super::index::Index;
use super::keyed::{Keyed, Short, header_len};

/// Keys on their way into an index.
pub(crate) struct Gathering {
    keyed: Arc<Keyed>,
    /// Few: nearly all keys have one header.
    groups: Vec<(Box<[u8]>, Vec<Short>)>,
}

impl Gathering {
    /// None yet.
    pub(crate) fn new(keyed: &Arc<Keyed>) -> Self {
        Self { keyed: keyed.clone(), groups: Vec::new() }
    }

    /// One more key.
    pub(crate) fn push(&mut self, key: &BlockKey) {
        let key = key.as_bytes();
        let short = self.keyed.short(key);
        self.group(&key[..header_len(key)]).push(short);
    }

    /// Takes the keys of another one.
    pub(crate) fn append(&mut self, other: &mut Self) {
        for (header, mut shorts) in other.groups.drain(..) {
            self.group(&header).append(&mut shorts);
        }
    }

    /// The index; a key that came twice is there once.
    pub(crate) fn into_index(mut self) -> Index {
        let (mut ids, mut checks, mut lens) = (Vec::new(), Vec::new(), Vec::new());
        self.groups.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        for (header, mut shorts) in self.groups {
            shorts.sort_unstable();
            shorts.dedup();
            lens.push((header, u32::try_from(shorts.len()).expect("fewer keys than ordinals")));
            ids.extend(shorts.iter().map(|short| short.id));
            checks.extend(shorts.iter().map(|short| short.check));
        }
        Index::new(self.keyed, ids, checks, lens)
    }

    fn group(&mut self, header: &[u8]) -> &mut Vec<Short> {
        let known = self.groups.iter().position(|(known, _)| **known == *header);
        let at = known.unwrap_or_else(|| {
            self.groups.push((header.into(), Vec::new()));
            self.groups.len() - 1
        });
        &mut self.groups[at].1
    }
}

impl Index {
    /// Over these keys, beside those of `old` under the same secret; a key that comes twice is there once.
    pub(crate) fn gather<'a>(
        keyed: &Arc<Keyed>,
        old: Option<&Self>,
        keys: impl Iterator<Item = &'a BlockKey>,
    ) -> Self {
        let mut gathering = Gathering::new(keyed);
        for (header, shorts) in old.into_iter().flat_map(Self::grouped) {
            gathering.group(header).extend(shorts);
        }
        keys.for_each(|key| gathering.push(key));
        gathering.into_index()
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
