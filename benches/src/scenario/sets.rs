//! Mark sets alone: batches of new keys into an empty set, on one thread, against the standard library's set
//! of 32-byte digests behind a lock that is taken once a batch.
//!
//! Sets are made before the clock starts: roaring reads its universe then, the others reserve memory. A visit
//! set is shown every key twice, as a walk meets more links than blocks.

use std::collections::HashSet;
use std::hint::black_box;
use std::time::Duration;

use anyhow::Result;
use parking_lot::Mutex;
use splitstore_domain::{BlockKey, digest};
use splitstore_marksets::{BloomSets, DiskSets, ExactSets, RoaringSets};
use splitstore_ports::{
    KeyCursor, KeyEntry, KeyScan, MarkSetFactory, Reading, SetHint, Visit, VisitSetFactory,
};

use crate::ground::BATCH;
use crate::pair::{Pair, in_turns, timed};
use crate::{Ground, Scenario, Work};

const SET: &str = "`Mutex<HashSet<[u8; 32]>>`";

pub(crate) const WORKS: &[Work] = &[
    Work { name: "exact marks", against: SET },
    Work { name: "roaring marks", against: SET },
    Work { name: "bloom marks", against: SET },
    Work { name: "disk marks", against: SET },
    Work { name: "exact visits", against: SET },
    Work { name: "disk visits", against: SET },
];

/// The set on disk spills this often in one pass; with its own buffer a million keys would stay in memory.
const SPILLS: usize = 8;

struct Sets<'g> {
    ground: &'g Ground,
    universe: Universe,
    keys: Vec<BlockKey>,
    digests: Vec<[u8; 32]>,
    visits: Vec<Visit>,
}

pub(crate) fn make(ground: &Ground) -> Result<Box<dyn Scenario + '_>> {
    let digests: Vec<_> =
        (0..ground.size.marks()).map(|number| digest::blake2b_256(&number.to_le_bytes())).collect();
    let keys = digests.iter().map(key).collect::<Result<Vec<_>>>()?;
    let universe = Universe::of(&keys);
    let visits = keys.iter().map(|key| Visit { key: key.clone(), reading: Reading::Dag }).collect();
    Ok(Box::new(Sets { ground, universe, keys, digests, visits }))
}

/// The key of a blake2b-256 digest.
fn key(digest: &[u8; 32]) -> Result<BlockKey> {
    let multihash = [&[0xa0, 0xe4, 0x02, 0x20], digest.as_slice()].concat();
    Ok(BlockKey::from_bytes(&multihash)?)
}

impl Scenario for Sets<'_> {
    fn round(&mut self, turn: usize) -> Result<Vec<Pair>> {
        let disk = DiskSets::with_buffer(self.keys.len() / SPILLS);
        let marks: [&dyn MarkSetFactory; 4] = [&ExactSets, &RoaringSets, &BloomSets, &disk];
        let visits: [&dyn VisitSetFactory; 2] = [&ExactSets, &disk];
        let marks = marks.into_iter().map(|factory| self.pair(turn, 1, || self.marks(factory)));
        let visits = visits.into_iter().map(|factory| self.pair(turn, 2, || self.visits(factory)));
        marks.chain(visits).collect()
    }
}

impl Sets<'_> {
    fn pair(&self, turn: usize, passes: u32, ours: impl FnOnce() -> Result<Duration>) -> Result<Pair> {
        let (ours, raw) = in_turns(turn, ours, || self.raw(passes))?;
        Ok(Pair { items: self.keys.len() as u64 * u64::from(passes), ours, raw })
    }

    fn marks(&self, factory: &dyn MarkSetFactory) -> Result<Duration> {
        let folder = self.ground.fresh()?;
        let set = factory.create(&self.hint(folder.path()))?;
        let mark = || self.keys.chunks(BATCH).try_for_each(|batch| Ok(set.mark_many(batch)?));
        Ok(timed(&self.ground.clock, mark)?.0)
    }

    fn visits(&self, factory: &dyn VisitSetFactory) -> Result<Duration> {
        let folder = self.ground.fresh()?;
        let set = factory.create(&self.hint(folder.path()))?;
        let visit = || {
            let mut first = Vec::with_capacity(BATCH);
            for batch in self.visits.chunks(BATCH).chain(self.visits.chunks(BATCH)) {
                first.clear();
                set.visit_many(batch, &mut first)?;
                black_box(&first);
            }
            Ok(())
        };
        Ok(timed(&self.ground.clock, visit)?.0)
    }

    fn raw(&self, passes: u32) -> Result<Duration> {
        let set = Mutex::new(HashSet::with_capacity(self.digests.len()));
        let insert = || {
            for batch in (0..passes).flat_map(|_| self.digests.chunks(BATCH)) {
                let mut set = set.lock();
                for digest in batch {
                    black_box(set.insert(*digest));
                }
            }
            Ok(())
        };
        Ok(timed(&self.ground.clock, insert)?.0)
    }

    fn hint<'a>(&'a self, folder: &'a std::path::Path) -> SetHint<'a> {
        SetHint { expected: self.keys.len() as u64, universe: &self.universe, folder }
    }
}

/// The keys of the sets, as a store would scan them.
struct Universe {
    sorted: Vec<KeyEntry>,
}

impl Universe {
    fn of(keys: &[BlockKey]) -> Self {
        let entry = |key: &BlockKey| KeyEntry { key: key.clone(), codec: 0x71, size: 1 };
        let mut sorted: Vec<KeyEntry> = keys.iter().map(entry).collect();
        sorted.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        Self { sorted }
    }
}

impl KeyScan for Universe {
    fn keys(&self) -> splitstore_ports::Result<Box<dyn KeyCursor + '_>> {
        Ok(Box::new(Cursor { rest: &self.sorted }))
    }
}

struct Cursor<'a> {
    rest: &'a [KeyEntry],
}

impl KeyCursor for Cursor<'_> {
    fn next_batch(&mut self, batch: &mut Vec<KeyEntry>, max: usize) -> splitstore_ports::Result<()> {
        let (next, rest) = self.rest.split_at(max.min(self.rest.len()));
        batch.extend_from_slice(next);
        self.rest = rest;
        Ok(())
    }
}
