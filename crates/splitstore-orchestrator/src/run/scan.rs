//! The first part of marking by scan: one ordered pass over a snapshot of hot makes a graph of it in memory.
//!
//! The snapshot is taken after protection went on: what is put later is a reference, and what only it holds
//! cannot be deleted by this run. Each step reads one range per thread.

use std::collections::VecDeque;
use std::sync::Arc;

use splitstore_domain::{ByteCount, Fallback, MarkedBy, Pacing, PhaseReport};
use splitstore_ports::{BlockSnapshot, KeyRange};

use super::count;
use super::prepare::Prepared;
use crate::components::MarkStrategy;
use crate::error::Result;
use crate::graph::{BLOCKS_MAX, Graph, Keyed, Piece};
use crate::store::Inner;

/// Bytes per block of hot while a scan is made and resolved, where a block has seven links: 17, and 8 for each link.
const BYTES_PER_BLOCK: u64 = 96;
/// Below this one range does, on the thread of the run.
const SMALL: u64 = 64 * 1024;
/// Blocks in one range, about, and how many ranges there are at least.
const RANGE: u64 = 1 << 20;
const RANGES_MIN: u64 = 8;
/// More threads than this only queue at the disk.
const THREADS_MAX: usize = 8;
/// `Auto` walks if fewer than one in so many blocks of hot are expected to be live: a walk pays for live blocks
/// only, several times as much for each.
const WALK_BELOW: u64 = 6;

/// The pass under way.
pub(crate) struct Scanning<'a> {
    pub(super) prepared: Prepared,
    snapshot: Box<dyn BlockSnapshot + 'a>,
    ranges: VecDeque<KeyRange>,
    pieces: Vec<Piece>,
    keyed: Arc<Keyed>,
    threads: usize,
}

/// What one step of the pass came to.
pub(super) enum Scanned<'a> {
    More(Scanning<'a>),
    All(Prepared, Graph<'a>),
}

impl<'a> Scanning<'a> {
    /// Begins a pass, if this run is to mark by scan.
    pub(super) fn begin(cx: &'a Inner, mut prepared: Prepared) -> Result<Result<Self, Prepared>> {
        let blocks = cx.tiers.hot.block_scan().filter(|_| cx.options.strategy != MarkStrategy::Walk);
        let Some(blocks) = blocks else {
            if cx.options.strategy != MarkStrategy::Walk {
                prepared.marking.fell_back(Fallback::NoScan);
            }
            return Ok(Err(prepared));
        };
        let snapshot = blocks.snapshot()?;
        let len = snapshot.estimated_len()?;
        if let Some(fallback) = lacks_room(cx, MarkedBy::Scan, len, BYTES_PER_BLOCK) {
            prepared.marking.fell_back(fallback);
            return Ok(Err(prepared));
        }
        if !is_worth_it(cx, len)? {
            return Ok(Err(prepared));
        }
        prepared.marking.by = MarkedBy::Scan;
        let (parts, threads) = (if len < SMALL { 1 } else { parts(len) }, threads(len));
        let ranges = snapshot.ranges(parts)?.into();
        let keyed = cx.links.keyed().clone();
        Ok(Ok(Self { prepared, snapshot, ranges, pieces: Vec::new(), keyed, threads }))
    }

    /// Reads one range per thread.
    pub(super) fn step(mut self, cx: &Inner, meter: &mut PhaseReport) -> Result<Scanned<'a>> {
        let now: Vec<KeyRange> = self.ranges.drain(..self.threads.min(self.ranges.len())).collect();
        if now.is_empty() {
            let graph = Graph::join(self.snapshot, self.pieces, self.keyed, self.threads)?;
            return Ok(Scanned::All(self.prepared, graph));
        }
        let (snapshot, keyed) = (&*self.snapshot, &*self.keyed);
        let read = |range: &KeyRange| Piece::read(snapshot, range, keyed, &cx.interrupt);
        let soon = self.expected(cx, &now);
        let pieces: Vec<_> = std::thread::scope(|threads| {
            if !soon.is_empty() {
                threads.spawn(|| soon.iter().for_each(|range| snapshot.expect(range)));
            }
            let others: Vec<_> = now.iter().skip(1).map(|range| threads.spawn(move || read(range))).collect();
            let first = now.first().map(read);
            let others =
                others.into_iter().map(|other| other.join().expect("reading a range does not panic"));
            first.into_iter().chain(others).collect()
        });
        for piece in pieces {
            let piece = piece?;
            count(meter, 0, piece.bytes());
            self.pieces.push(piece);
        }
        Ok(Scanned::More(self))
    }
}

impl Scanning<'_> {
    /// What the disk may begin to read: what comes after `now`, and at the first step `now` itself. Nothing if others are to have
    /// the disk as well, or if it is little.
    fn expected(&self, cx: &Inner, now: &[KeyRange]) -> Vec<KeyRange> {
        if self.threads == 1 || cx.options.pacing != Pacing::Fast {
            return Vec::new();
        }
        let first = if self.pieces.is_empty() { now } else { &[] };
        first.iter().chain(self.ranges.iter().take(self.threads)).cloned().collect()
    }
}

/// Why a graph of so many blocks cannot be made, if it would take too much memory.
pub(super) fn lacks_room(cx: &Inner, way: MarkedBy, blocks: u64, bytes_per_block: u64) -> Option<Fallback> {
    let budget = cx.options.marking_memory?;
    let needs = ByteCount(blocks.saturating_mul(bytes_per_block));
    (needs > budget).then_some(Fallback::Memory { way, needs, budget })
}

fn is_worth_it(cx: &Inner, len: u64) -> Result<bool> {
    if matches!(cx.options.strategy, MarkStrategy::Scan | MarkStrategy::Links) {
        return Ok(true);
    }
    // What the last run marked; before the first one everything may be live.
    let live = cx.ledger.marked()?;
    Ok(len <= BLOCKS_MAX.into() && (live == 0 || live.saturating_mul(WALK_BELOW) >= len))
}

fn parts(len: u64) -> usize {
    usize::try_from((len / RANGE).max(RANGES_MIN)).unwrap_or(usize::MAX)
}

/// How many threads follow links among so many blocks.
pub(crate) fn threads(len: u64) -> usize {
    if len < SMALL { 1 } else { processors() }
}

/// How many threads a walk may use.
pub(super) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, |threads| threads.get().min(THREADS_MAX))
}
