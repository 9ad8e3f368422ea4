//! Everything below some blocks of a graph, level by level.
//!
//! ```text
//!   frontier   | 512 blocks | 512 | 512 | ..    threads take the next part until none is left
//!   a part     gather edges -> look all up -> check sums -> mark          stage by stage
//! ```
//! Each look-up misses the caches twice. Done one after the other a thread would wait for each; in stages over many
//! edges the processor has a dozen of them under way.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use splitstore_ports::Reading;

use super::index::Matches;
use super::links::Known;
use super::{Bitmap, Graph};

/// Blocks that a thread takes at a time.
const PART: usize = 512;
/// A frontier below this is not worth a second thread.
const SPREAD: usize = 16 * 1024;

/// Blocks met that the snapshot does not hold: their edge, and the check of the one key that has it.
#[derive(Default)]
pub(crate) struct Outside {
    checks: HashMap<u64, Option<u64>>,
}

impl Outside {
    /// Notes a block that was visited and is not in the snapshot.
    pub(crate) fn note(&mut self, graph: &Graph<'_>, multihash: &[u8], reading: Reading) {
        let short = graph.index.keyed.short(multihash);
        let known = self.checks.entry(edge(short.id, reading)).or_insert(Some(short.check));
        // Two keys with one id: nobody can tell which of them an edge means.
        if *known != Some(short.check) {
            *known = None;
        }
    }

    fn check(&self, edge: u64) -> Option<u64> {
        if self.checks.is_empty() { None } else { self.checks.get(&edge).copied().flatten() }
    }
}

/// How a link stands in the graph.
pub(super) fn edge(id: u64, reading: Reading) -> u64 {
    id | u64::from(reading == Reading::Dag)
}

/// What came of following links.
#[derive(Default)]
pub(crate) struct Closed {
    /// Blocks whose links were followed, and new blocks that are not opened.
    pub(crate) objects: u64,
    /// Blocks that must be read.
    pub(crate) unread: Vec<u32>,
}

impl Graph<'_> {
    /// Visits everything below `starts`, which are visited as DAG-CBOR already.
    pub(crate) fn close(&self, bitmap: &Bitmap, outside: &Outside, starts: Vec<u32>) -> Closed {
        let mut closed = Closed::default();
        let mut frontier = starts;
        while !frontier.is_empty() {
            let levels = self.level(bitmap, outside, &frontier);
            frontier.clear();
            for mut level in levels {
                frontier.append(&mut level.next);
                closed.unread.append(&mut level.unread);
                closed.objects += level.objects;
            }
        }
        closed
    }

    fn level(&self, bitmap: &Bitmap, outside: &Outside, frontier: &[u32]) -> Vec<Level> {
        let parts = frontier.chunks(PART);
        if frontier.len() < SPREAD || self.threads < 2 {
            let mut level = Level::default();
            parts.for_each(|part| self.follow(bitmap, outside, part, &mut level));
            return vec![level];
        }
        let taken = AtomicUsize::new(0);
        let work = || {
            let mut level = Level::default();
            while let Some(part) = frontier.chunks(PART).nth(taken.fetch_add(1, Ordering::Relaxed)) {
                self.follow(bitmap, outside, part, &mut level);
            }
            level
        };
        std::thread::scope(|threads| {
            let others: Vec<_> = (1..self.threads).map(|_| threads.spawn(work)).collect();
            let mut levels = vec![work()];
            levels.extend(
                others.into_iter().map(|other| other.join().expect("following links does not panic")),
            );
            levels
        })
    }

    fn follow(&self, bitmap: &Bitmap, outside: &Outside, part: &[u32], level: &mut Level) {
        let scratch = &mut level.scratch;
        scratch.edges.clear();
        scratch.blocks.clear();
        for block in part {
            match self.links.of(*block) {
                Known::Leaf => level.objects += 1,
                Known::Unread => level.unread.push(*block),
                Known::Links { sum, edges } => {
                    scratch.edges.extend_from_slice(edges);
                    scratch.blocks.push(Gathered { block: *block, sum, end: scratch.edges.len() });
                }
            }
        }
        scratch.targets.clear();
        scratch.targets.extend(scratch.edges.iter().map(|edge| self.index.look_up(edge & !1)));
        let mut begin = 0;
        for Gathered { block, sum, end } in &scratch.blocks {
            let (edges, targets) = (&scratch.edges[begin..*end], &scratch.targets[begin..*end]);
            begin = *end;
            if self.sum(outside, edges, targets) != Some(*sum) {
                level.unread.push(*block);
                continue;
            }
            level.objects += 1;
            for (edge, target) in edges.iter().zip(targets) {
                let Matches::One(target) = *target else { continue };
                let reading = if edge & 1 == 1 { Reading::Dag } else { Reading::Opaque };
                if bitmap.visit(target, reading) {
                    if reading == Reading::Dag { level.next.push(target) } else { level.objects += 1 }
                }
            }
        }
    }

    /// The sum of the checks of what these edges lead to; `None` where that is not sure.
    fn sum(&self, outside: &Outside, edges: &[u64], targets: &[Matches]) -> Option<u64> {
        edges.iter().zip(targets).try_fold(0_u64, |sum, (edge, target)| {
            let check = match *target {
                Matches::One(target) => self.index.check(target),
                Matches::None => outside.check(*edge)?,
                Matches::Many => return None,
            };
            Some(sum.wrapping_add(check))
        })
    }
}

/// What one thread found on one level.
#[derive(Default)]
struct Level {
    next: Vec<u32>,
    unread: Vec<u32>,
    objects: u64,
    scratch: Scratch,
}

/// The edges of one part, and what they lead to.
#[derive(Default)]
struct Scratch {
    edges: Vec<u64>,
    targets: Vec<Matches>,
    blocks: Vec<Gathered>,
}

/// A block with links, whose edges end at `end`.
struct Gathered {
    block: u32,
    sum: u64,
    end: usize,
}
