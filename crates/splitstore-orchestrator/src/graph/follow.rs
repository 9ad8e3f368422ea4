//! Everything below some blocks of a graph, level by level.
//!
//! ```text
//!   frontier   | 512 blocks | 512 | 512 | ..    threads take the next part until none is left
//!   a part     places -> edges -> mark what is new          stage by stage: the caches miss, but not one by one
//! ```
//! Each block of the frontier knows from which start it was reached first.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use splitstore_ports::Reading;

use super::index::{Index, MANY, NONE};
use super::links::{self, Known, Place};
use super::names::name;
use super::{Bitmap, Graph};

/// Blocks that a thread takes at a time.
const PART: usize = 512;
/// A frontier below this is not worth a second thread.
const SPREAD: usize = 8 * 1024;

/// Blocks met that the snapshot does not hold: their name, and the check of the one key that has it.
#[derive(Default)]
pub(crate) struct Outside {
    checks: HashMap<u64, Option<u64>>,
}

impl Outside {
    /// Notes a block that was visited and is not in the snapshot.
    pub(crate) fn note(&mut self, graph: &Graph<'_>, multihash: &[u8], reading: Reading) {
        let short = graph.index.keyed.short(multihash);
        let known = self.checks.entry(name(short.id, reading)).or_insert(Some(short.check));
        // Two keys with one id: nobody can tell which of them a link means.
        if *known != Some(short.check) {
            *known = None;
        }
    }

    fn check(&self, name: u64) -> Option<u64> {
        if self.checks.is_empty() { None } else { self.checks.get(&name).copied().flatten() }
    }
}

/// What came of following links.
#[derive(Default)]
pub(crate) struct Closed {
    /// Blocks whose links were followed, and new blocks that are not opened.
    pub(crate) objects: u64,
    /// Blocks that must be read.
    pub(crate) unread: Vec<Reached>,
}

/// A block, and the start below which it was found first, by its place in the list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reached {
    pub(crate) block: u32,
    pub(crate) start: u32,
}

impl Graph<'_> {
    /// Visits everything below `starts`, which are visited as DAG-CBOR already.
    pub(crate) fn close(&self, bitmap: &Bitmap, outside: &Outside, starts: &[u32]) -> Closed {
        let mut frontier: Vec<Reached> =
            starts.iter().zip(0..).map(|(block, start)| Reached { block: *block, start }).collect();
        let mut levels: Vec<Level> = (0..self.threads.max(1)).map(|_| Level::default()).collect();
        while !frontier.is_empty() {
            self.level(bitmap, outside, &frontier, &mut levels);
            frontier.clear();
            for level in &mut levels {
                frontier.append(&mut level.next);
            }
        }
        let mut closed = Closed::default();
        for mut level in levels {
            closed.objects += level.objects;
            closed.unread.append(&mut level.unread);
        }
        closed
    }

    fn level(&self, bitmap: &Bitmap, outside: &Outside, frontier: &[Reached], levels: &mut [Level]) {
        let taken = AtomicUsize::new(0);
        let work = |level: &mut Level| {
            while let Some(part) = frontier.chunks(PART).nth(taken.fetch_add(1, Ordering::Relaxed)) {
                self.follow(bitmap, outside, part, level);
            }
        };
        let (first, others) = levels.split_first_mut().expect("there is a level per thread");
        if frontier.len() < SPREAD || others.is_empty() {
            return work(first);
        }
        std::thread::scope(|threads| {
            for other in others {
                threads.spawn(|| work(other));
            }
            work(first);
        });
    }

    fn follow(&self, bitmap: &Bitmap, outside: &Outside, part: &[Reached], level: &mut Level) {
        let mut edges = std::mem::take(&mut level.edges);
        level.places.clear();
        level.places.extend(part.iter().map(|reached| self.links.place(reached.block)));
        for (reached, place) in part.iter().zip(&level.places) {
            let known = match self.links.at(*place) {
                Known::Named(words) => level.named.edges(&self.index, outside, words),
                Known::Edges(edges) => Some(edges),
                Known::Leaf => Some([].as_slice()),
                Known::Unread => None,
            };
            if let Some(known) = known {
                level.objects += 1;
                edges.extend(known.iter().map(|edge| (*edge, reached.start)));
            } else {
                level.unread.push(*reached);
            }
        }
        edges.retain(|(edge, _)| {
            let (block, reading) = links::target(*edge);
            bitmap.visit(block, reading)
        });
        self.open(&edges, level);
        edges.clear();
        level.edges = edges;
    }

    /// What was visited for the first time goes on to the next level, if it has links. Whether it has is asked of all
    /// before a branch hangs on one.
    fn open(&self, first: &[(u32, u32)], level: &mut Level) {
        let leaves = first.iter().filter(|(edge, _)| self.links.is_leaf(links::target(*edge).0)).count();
        level.next.reserve(first.len() - std::hint::black_box(leaves));
        for (edge, start) in first {
            let (block, reading) = links::target(*edge);
            if reading == Reading::Dag && !self.links.is_leaf(block) {
                level.next.push(Reached { block, start: *start });
            } else {
                level.objects += 1;
            }
        }
    }
}

/// What one thread found on one level, and its scratch.
#[derive(Default)]
struct Level {
    next: Vec<Reached>,
    unread: Vec<Reached>,
    objects: u64,
    places: Vec<Place>,
    /// Edges, each with its start.
    edges: Vec<(u32, u32)>,
    named: Scratch,
}

/// The links of one block that has them by name.
#[derive(Default)]
struct Scratch {
    /// The sum, then the names.
    slots: Vec<u64>,
    targets: Vec<u32>,
    edges: Vec<u32>,
}

impl Scratch {
    /// Edges to those that are in the snapshot, if the checks of what all lead to, there or outside, add up.
    fn edges(&mut self, index: &Index, outside: &Outside, words: &[u32]) -> Option<&[u32]> {
        self.slots.clear();
        self.slots.extend(links::numbers(words));
        let (sum, names) = self.slots.split_first()?;
        index.look_up_many(names, &mut self.targets);
        let checks = names.iter().zip(&self.targets).map(|(name, target)| match *target {
            NONE => outside.check(*name),
            MANY => None,
            target => Some(index.check(target)),
        });
        let found = checks.into_iter().try_fold(0_u64, |sum, check| Some(sum.wrapping_add(check?)));
        if found != Some(*sum) {
            return None;
        }
        self.edges.clear();
        let inside = names.iter().zip(&self.targets).filter(|(_, target)| **target != NONE);
        self.edges.extend(inside.map(|(name, target)| links::edge(*target, *name)));
        Some(&self.edges)
    }
}
