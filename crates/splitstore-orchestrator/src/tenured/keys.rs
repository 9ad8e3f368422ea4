//! Final keys, in order: they are read as they are looked up, and nothing has to be made of them first.
//!
//! ```text
//!   group     header a0 e4 02 20
//!   digests   00 1b .. | 00 3f .. | .. | ff e2 ..      ascending, 32 bytes each; of other lengths: `others`
//!   starts    where digests with given upper bits begin, 8 of them on average
//! ```
//! Whole keys are compared, so there is nothing to collide.

use splitstore_domain::BlockKey;

use crate::graph::header_len;

/// Digests per entry of `starts`, on average.
const PER_START: usize = 8;

/// Of the hashes that there are.
pub(super) type Digest = [u8; 32];

/// Keys of one header, and their digests.
pub(super) type Group = (Box<[u8]>, Vec<Digest>);

/// Keys on their way, in any order.
#[derive(Default)]
pub(super) struct Gathered {
    groups: Vec<Group>,
    others: Vec<BlockKey>,
}

/// Keys in order.
pub(super) struct Keys {
    groups: Vec<Ordered>,
    others: Vec<BlockKey>,
}

/// The digests of one header.
struct Ordered {
    header: Box<[u8]>,
    digests: Vec<Digest>,
    starts: Box<[u32]>,
    /// What leaves the index into `starts` of the upper bits.
    shift: u32,
}

impl Gathered {
    /// One more key.
    pub(super) fn push(&mut self, key: &BlockKey) {
        let bytes = key.as_bytes();
        let (header, digest) = bytes.split_at(header_len(bytes));
        match digest.try_into() {
            Ok(digest) => self.digests(header).push(digest),
            Err(_) => self.others.push(key.clone()),
        }
    }

    /// The digests of a header.
    pub(super) fn digests(&mut self, header: &[u8]) -> &mut Vec<Digest> {
        // Few: nearly all keys have one header.
        let known = self.groups.iter().position(|(known, _)| **known == *header);
        let at = known.unwrap_or_else(|| {
            self.groups.push((header.into(), Vec::new()));
            self.groups.len() - 1
        });
        &mut self.groups[at].1
    }

    /// Takes the keys of another one.
    pub(super) fn append(&mut self, other: &mut Self) {
        for (header, mut digests) in other.groups.drain(..) {
            let own = self.digests(&header);
            if own.is_empty() { *own = digests } else { own.append(&mut digests) }
        }
        self.others.append(&mut other.others);
    }

    /// The keys in order, each once.
    pub(super) fn ordered(self) -> Keys {
        let Self { groups, mut others } = self;
        others.sort_unstable();
        others.dedup();
        Keys { groups: groups.into_iter().map(Ordered::new).collect(), others }
    }
}

impl Keys {
    /// Whether this key is one of them.
    pub(super) fn has(&self, key: &BlockKey) -> bool {
        let bytes = key.as_bytes();
        let (header, digest) = bytes.split_at(header_len(bytes));
        let Ok(digest) = digest.try_into() else { return self.others.binary_search(key).is_ok() };
        let group = self.groups.iter().find(|group| *group.header == *header);
        group.is_some_and(|group| group.has(digest))
    }

    /// Shows each as a multihash.
    pub(super) fn each(&self, see: &mut dyn FnMut(&[u8])) {
        let mut key = Vec::new();
        for Ordered { header, digests, .. } in &self.groups {
            for digest in digests {
                key.clear();
                key.extend_from_slice(header);
                key.extend_from_slice(digest);
                see(&key);
            }
        }
        self.others.iter().for_each(|key| see(key.as_bytes()));
    }

    /// The digests of each header, in order.
    pub(super) fn groups(&self) -> impl Iterator<Item = (&[u8], &[Digest])> {
        self.groups.iter().map(|group| (&*group.header, group.digests.as_slice()))
    }

    /// Keys whose digests have another length.
    pub(super) fn others(&self) -> &[BlockKey] {
        &self.others
    }

    /// These and others.
    pub(super) fn and(&self, more: &Self) -> Self {
        let mut all = Gathered { groups: Vec::new(), others: [&*self.others, &*more.others].concat() };
        for (header, digests) in self.groups().chain(more.groups()) {
            all.digests(header).extend_from_slice(digests);
        }
        all.ordered()
    }
}

impl Ordered {
    fn new((header, mut digests): Group) -> Self {
        if !digests.is_sorted_by(|one, next| one < next) {
            put_in_order(&mut digests);
        }
        let bits = (digests.len() / PER_START).max(2).ilog2();
        let shift = u64::BITS - bits;
        let mut starts = Vec::with_capacity((1 << bits) + 1);
        let mut at = 0;
        for start in 0..1_u64 << bits {
            while digests.get(at).is_some_and(|digest| upper(digest) >> shift < start) {
                at += 1;
            }
            starts.push(place(at));
        }
        starts.push(place(digests.len()));
        Self { header, digests, starts: starts.into(), shift }
    }

    fn has(&self, digest: &Digest) -> bool {
        let start = usize::try_from(upper(digest) >> self.shift).expect("a directory fits into memory");
        let run = self.starts[start] as usize..self.starts[start + 1] as usize;
        self.digests[run].binary_search(digest).is_ok()
    }
}

#[expect(
    clippy::stable_sort_primitive,
    reason = "each batch of the file is in order: a stable sort merges what is"
)]
fn put_in_order(digests: &mut Vec<Digest>) {
    digests.sort();
    digests.dedup();
}

fn upper(digest: &Digest) -> u64 {
    u64::from_be_bytes(*digest.first_chunk().expect("a digest is longer"))
}

fn place(at: usize) -> u32 {
    u32::try_from(at).expect("fewer final headers than 2^32")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> BlockKey {
        let digest = splitstore_domain::digest::blake2b_256(&number.to_le_bytes());
        let (header, digest): (&[u8], &[u8]) = match number % 7 {
            0 => (&[0x12, 0x20], &digest),
            1 => (&[0x13, 0x10], &digest[..16]),
            _ => (&[0xa0, 0xe4, 0x02, 0x20], &digest),
        };
        BlockKey::from_bytes(&[header, digest].concat()).unwrap()
    }

    fn gathered(numbers: impl Iterator<Item = u64>) -> Gathered {
        let mut gathered = Gathered::default();
        numbers.for_each(|number| gathered.push(&key(number)));
        gathered
    }

    #[test]
    fn keys_that_come_in_parts_and_twice_are_each_found_and_no_others() {
        let first = gathered((0..500).rev()).ordered();
        let both = first.and(&gathered(400..900).ordered());
        assert!((0..500).all(|number| first.has(&key(number))));
        assert!((500..2000).all(|number| !first.has(&key(number))));
        assert!((0..900).all(|number| both.has(&key(number))));
        assert!((900..2000).all(|number| !both.has(&key(number))));
        let mut seen = Vec::new();
        both.each(&mut |key| seen.push(BlockKey::from_bytes(key).unwrap()));
        assert_eq!(seen.len(), 900);
        assert!(seen.iter().all(|key| both.has(key)));
    }

    #[test]
    fn no_keys_have_none() {
        let none = Gathered::default().ordered();
        assert!(!none.has(&key(0)) && !none.has(&key(1)));
    }
}
