//! The keys of a snapshot by their short names: an ordinal is a key's place in ascending order.
//!
//! ```text
//!   groups    | 12 20 ..  |  a0 e4 02 20 ..              |   keys of one header stand together
//!   ids       | ascending | ascending                    |   8 bytes each
//!   checks    |           |                              |   8 bytes each
//!   starts    per group: where ids with given upper bits begin, 8 of them on average
//! ```

use std::ops::Range;
use std::sync::Arc;

use super::keyed::{Keyed, Short};
use super::names::id;

/// Ids per entry of `starts`, on average.
const PER_START: usize = 8;
/// Names looked up together.
const STAGE: usize = 64;
/// A run of ids that is longer is searched by halves: only keys that somebody has ground are so dense.
const DENSE: usize = 64;

/// All keys of one snapshot.
pub(crate) struct Index {
    pub(super) keyed: Arc<Keyed>,
    pub(super) ids: Vec<u64>,
    pub(super) checks: Vec<u64>,
    groups: Vec<Group>,
}

/// Headers with how many keys each has, in key order.
pub(super) type Groups = Vec<(Box<[u8]>, u32)>;

/// The keys of one header.
struct Group {
    header: Box<[u8]>,
    /// One past its last ordinal.
    end: u32,
    starts: Box<[u32]>,
    /// What leaves the index into `starts` of an id.
    shift: u32,
}

/// No key has the id. Ordinals are below [`super::BLOCKS_MAX`].
pub(super) const NONE: u32 = u32::MAX;
/// More than one key has it.
pub(super) const MANY: u32 = u32::MAX - 1;

impl Index {
    /// Over names in key order; `groups` are headers with how many keys each has, in the same order.
    pub(super) fn new(keyed: Arc<Keyed>, ids: Vec<u64>, checks: Vec<u64>, groups: Groups) -> Self {
        let mut first = 0;
        let group = |(header, len): (Box<[u8]>, u32)| {
            let begin = first;
            first += len;
            Group::new(header, &ids, begin, first)
        };
        let groups = groups.into_iter().map(group).collect();
        Self { keyed, ids, checks, groups }
    }

    /// The headers, as they were given.
    pub(super) fn groups(&self) -> Groups {
        let mut begin = 0;
        let group = |group: &Group| {
            let keys = group.end - begin;
            begin = group.end;
            (group.header.clone(), keys)
        };
        self.groups.iter().map(group).collect()
    }

    /// Adds keys behind all others, in the order of keys among themselves. What has a key already is not added again.
    pub(super) fn append(&mut self, shorts: impl Iterator<Item = Short>, groups: Groups) {
        let mut first = self.len();
        let more = groups.iter().map(|(_, len)| *len as usize).sum();
        self.ids.reserve_exact(more);
        self.checks.reserve_exact(more);
        for Short { id, check } in shorts {
            self.ids.push(id);
            self.checks.push(check);
        }
        for (header, len) in groups {
            self.groups.push(Group::new(header, &self.ids, first, first + len));
            first += len;
        }
    }

    /// Every group's header with its ordinals, in their order; a header may have several.
    pub(super) fn ranges(&self) -> impl Iterator<Item = (&[u8], Range<u32>)> {
        let begins = std::iter::once(0).chain(self.groups.iter().map(|group| group.end));
        self.groups.iter().zip(begins).map(|(group, begin)| (&*group.header, begin..group.end))
    }

    /// How many keys there are; their ordinals are below.
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.ids.len()).expect("a graph has fewer than 2^31 blocks")
    }

    /// A number that nobody outside can know.
    pub(crate) fn seed(&self) -> u64 {
        self.keyed.fingerprint()
    }

    /// The ordinal of a key: all 127 bits of its names are compared.
    pub(crate) fn find(&self, multihash: &[u8]) -> Option<u32> {
        self.find_short(self.keyed.short(multihash))
    }

    /// The same by its names under this index's secret.
    pub(crate) fn find_short(&self, Short { id, check }: Short) -> Option<u32> {
        self.matches(id).find(|ordinal| self.check(*ordinal) == check)
    }

    /// Whether this is the key of this ordinal.
    pub(crate) fn is(&self, ordinal: u32, multihash: &[u8]) -> bool {
        let at = ordinal as usize;
        let Short { id, check } = self.keyed.short(multihash);
        self.ids.get(at) == Some(&id) && self.checks.get(at) == Some(&check)
    }

    pub(super) fn id(&self, ordinal: u32) -> u64 {
        self.ids[ordinal as usize]
    }

    pub(super) fn check(&self, ordinal: u32) -> u64 {
        self.checks[ordinal as usize]
    }

    /// The key that each name's id means: its ordinal, [`NONE`] or [`MANY`].
    ///
    /// Each group is asked in stages, so that the processor has many misses of the caches under way at a time; a later
    /// one only for what no earlier one has. An id that two groups share may mean either: sums tell.
    pub(super) fn look_up_many(&self, names: &[u64], targets: &mut Vec<u32>) {
        targets.clear();
        targets.resize(names.len(), NONE);
        let mut left = [0; STAGE];
        for (part, targets) in names.chunks(STAGE).zip(targets.chunks_mut(STAGE)) {
            for group in &self.groups {
                let mut len = 0;
                for (place, target) in targets.iter().enumerate() {
                    left[len] = place;
                    len += usize::from(*target == NONE);
                }
                group.look_up_many(&self.ids, part, &left[..len], targets);
            }
        }
    }

    /// The checks of ordinals, and something for what is none.
    pub(super) fn checks_of(&self, ordinals: &[u32], checks: &mut Vec<u64>) {
        checks.clear();
        let check = |ordinal: &u32| self.checks.get(*ordinal as usize).copied().unwrap_or_default();
        checks.extend(ordinals.iter().map(check));
    }

    fn matches(&self, id: u64) -> impl Iterator<Item = u32> + '_ {
        self.groups.iter().flat_map(move |group| group.matches(&self.ids, id))
    }

    /// The least bytes that a key of this ordinal can have.
    pub(super) fn least_key(&self, ordinal: u32) -> Vec<u8> {
        let group = self.groups.iter().find(|group| ordinal < group.end).expect("every ordinal has a group");
        let id = self.ids[ordinal as usize].to_be_bytes();
        // A digest may be shorter than an id, and its id then ends in zeros.
        let len = id.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        [&group.header, &id[..len]].concat()
    }
}

impl Group {
    fn new(header: Box<[u8]>, ids: &[u64], begin: u32, end: u32) -> Self {
        let bits = ((end - begin) as usize / PER_START).max(2).ilog2();
        let shift = u64::BITS - bits;
        let mut starts = Vec::with_capacity((1 << bits) + 1);
        let mut at = begin;
        for start in 0..1_u64 << bits {
            while at < end && ids[at as usize] >> shift < start {
                at += 1;
            }
            starts.push(at);
        }
        starts.push(end);
        Self { header, end, starts: starts.into(), shift }
    }

    /// The ordinals of all keys of this group with this id: they stand together.
    fn matches<'a>(&self, ids: &'a [u64], id: u64) -> impl Iterator<Item = u32> + use<'a> {
        let run = self.run(id);
        let at = first_from(ids, run, id);
        (at..run.1).take_while(move |at| ids[*at as usize] == id)
    }

    /// Where ids with the upper bits of this one begin and end.
    fn run(&self, id: u64) -> (u32, u32) {
        let start = usize::try_from(id >> self.shift).expect("a directory has fewer than 2^32 entries");
        (self.starts[start], self.starts[start + 1])
    }

    /// As [`Index::look_up_many`], for those of one stage that are left.
    fn look_up_many(&self, ids: &[u64], part: &[u64], left: &[usize], targets: &mut [u32]) {
        let mut runs = [(0, 0); STAGE];
        for (run, place) in runs.iter_mut().zip(left) {
            *run = self.run(id(part[*place]));
        }
        // Both ends of each run, before a branch hangs on any of them: a wrong guess would wait for one miss at a time.
        let id_at = |at: u32| ids.get(at as usize).copied().unwrap_or_default();
        let ends = runs[..left.len()].iter().map(|(at, end)| id_at(*at) ^ id_at(end.wrapping_sub(1)));
        std::hint::black_box(ends.fold(0, |all, ends| all ^ ends));
        for (run, place) in runs.iter().zip(left) {
            let id = id(part[*place]);
            let at = first_from(ids, *run, id);
            let is = |at: u32| at < run.1 && ids[at as usize] == id;
            if is(at) {
                targets[*place] = if is(at + 1) { MANY } else { at };
            }
        }
    }
}

/// The first ordinal in a run whose id is not below this one, or the end of the run.
fn first_from(ids: &[u64], (at, end): (u32, u32), id: u64) -> u32 {
    let run = &ids[at as usize..end as usize];
    // Counting does not stop early: how often a loop turns must not hang on what a miss will bring.
    let below = if run.len() > DENSE {
        run.partition_point(|other| *other < id)
    } else {
        run.iter().filter(|other| **other < id).count()
    };
    at + u32::try_from(below).expect("a part of 32 bits")
}

#[cfg(test)]
mod tests {
    use super::super::keyed::ID_BITS;
    use super::*;

    fn keys(header: &[u8], count: u64) -> Vec<Vec<u8>> {
        let digest = |number: u64| splitstore_domain::digest::blake2b_256(&number.to_le_bytes());
        let mut keys: Vec<Vec<u8>> =
            (0..count).map(|number| [header, digest(number).as_slice()].concat()).collect();
        keys.sort();
        keys
    }

    fn index(keys: &[Vec<u8>], groups: &[(&[u8], usize)], bits: u32) -> Index {
        let keyed = Arc::new(Keyed::random(bits));
        let shorts: Vec<Short> = keys.iter().map(|key| keyed.short(key)).collect();
        let groups = groups.iter().map(|(header, len)| ((*header).into(), u32::try_from(*len).unwrap()));
        let (ids, checks) = shorts.iter().map(|short| (short.id, short.check)).unzip();
        Index::new(keyed, ids, checks, groups.collect())
    }

    #[test]
    fn every_key_has_its_ordinal_and_no_other_key_has_one_at_any_width() {
        const SHA: &[u8] = &[0x12, 0x20];
        const BLAKE: &[u8] = &[0xa0, 0xe4, 0x02, 0x20];
        for (bits, count) in [(ID_BITS, 1), (ID_BITS, 3000), (16, 3000), (4, 500)] {
            let all = [keys(SHA, count / 2), keys(BLAKE, count)].concat();
            let groups = [
                (SHA, all.len() - usize::try_from(count).unwrap()),
                (BLAKE, usize::try_from(count).unwrap()),
            ];
            let index = index(&all, &groups, bits);
            for (key, ordinal) in all.iter().zip(0..) {
                assert_eq!(index.find(key), Some(ordinal), "{bits} bits");
                assert!(index.is(ordinal, key) && !index.is(ordinal + 1, key));
                assert!(index.least_key(ordinal) <= *key);
                let other: Vec<u8> =
                    key.iter().enumerate().map(|(at, byte)| byte ^ u8::from(at > 20)).collect();
                assert_eq!(index.find(&other), None, "the same id, and another key");
            }
        }
    }

    #[test]
    fn a_digest_in_two_groups_means_the_first_one() {
        let (short, long): (&[u8], &[u8]) = (&[0x12, 0x20], &[0xa0, 0xe4, 0x02, 0x20]);
        let all = [keys(short, 1), keys(long, 1)].concat();
        let index = index(&all, &[(short, 1), (long, 1)], ID_BITS);
        let id = index.ids[0];
        let mut targets = Vec::new();
        index.look_up_many(&[id, id | 1, id ^ 2], &mut targets);
        assert_eq!(targets, [0, 0, NONE]);
    }

    #[test]
    fn names_looked_up_together_are_those_looked_up_alone() {
        const SHA: &[u8] = &[0x12, 0x20];
        const BLAKE: &[u8] = &[0xa0, 0xe4, 0x02, 0x20];
        for bits in [ID_BITS, 16, 8] {
            let all = [keys(SHA, 70), keys(BLAKE, 3000)].concat();
            let index = index(&all, &[(SHA, 70), (BLAKE, 3000)], bits);
            let absent =
                (0..500_u64).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) & (u64::MAX << 1));
            let asked: Vec<u64> = index.ids.iter().copied().chain(absent).collect();
            let mut targets = Vec::new();
            index.look_up_many(&asked, &mut targets);
            for (id, target) in asked.iter().zip(targets) {
                let have: Vec<u32> = (0..index.len()).filter(|at| index.ids[*at as usize] == *id).collect();
                let first = have.partition_point(|at| *at < 70);
                let have = if first > 0 { &have[..first] } else { &have };
                let expected = match *have {
                    [] => NONE,
                    [one] => one,
                    _ => MANY,
                };
                assert_eq!(target, expected, "{bits} bits");
            }
        }
    }
}
