//! Marking by link index: the graph of hot is read from the index, and some blocks are compared with what it says.

use std::sync::Arc;

use splitstore_domain::{Fallback, MarkedBy};
use splitstore_ports::BlockScan;

use super::Work;
use super::prepare::Prepared;
use super::scan::{lacks_room, threads};
use crate::components::MarkStrategy;
use crate::error::Result;
use crate::graph::{Bitmap, Graph, Links, Survivors};
use crate::links::{self, Head, PackWriter, Unusable};
use crate::store::Inner;

/// An index that knows less than one of so many blocks of hot is built anew.
const KNOWN_MIN: u64 = 2;
/// Bytes per block of hot while a graph is read, followed, and written again, where a block has seven links.
pub(super) const BYTES_PER_BLOCK: u64 = 72;

/// The graph of the link index, if this run is to mark by it and may.
pub(super) fn begin<'a>(cx: &'a Inner, prepared: &mut Prepared) -> Result<Option<Graph<'a>>> {
    if !matches!(cx.options.strategy, MarkStrategy::Links | MarkStrategy::Auto) {
        return Ok(None);
    }
    let Some(blocks) = cx.tiers.hot.block_scan().filter(|_| cx.links.is_kept()) else {
        if cx.options.strategy == MarkStrategy::Links || cx.options.link_index {
            let no_notes = cx.tiers.hot.link_notes().is_none();
            prepared.marking.fell_back(if no_notes { Fallback::NoNotes } else { Fallback::NoScan });
        }
        return Ok(None);
    };
    match graph(cx, blocks)? {
        Ok(graph) => {
            prepared.marking.by = MarkedBy::Links;
            Ok(Some(graph))
        }
        Err(why) => {
            prepared.marking.fell_back(why);
            Ok(None)
        }
    }
}

fn graph<'a>(cx: &'a Inner, blocks: &'a dyn BlockScan) -> Result<Result<Graph<'a>, Fallback>> {
    let len = blocks.snapshot()?.estimated_len()?;
    if let Some(fallback) = lacks_room(cx, MarkedBy::Links, len, BYTES_PER_BLOCK) {
        return Ok(Err(fallback));
    }
    let (parts, added) = match links::load(cx)? {
        Ok(read) => read,
        Err(Unusable::Absent(fallback)) => return Ok(Err(fallback)),
        Err(Unusable::Distrusted(reason)) => return distrust(cx, reason).map(Err),
    };
    let known = (parts.ids.len() + added.len()) as u64;
    if known.saturating_mul(KNOWN_MIN) < len {
        return Ok(Err(Fallback::Incomplete { known, hot: len }));
    }
    let writing = cx.links.writing().expect("the pack was read with it");
    // After the notes: it holds all blocks that they tell of.
    let graph = Graph::of_parts(blocks.snapshot()?, parts, added, &writing.keyed, threads(known))?;
    match sample(cx, &graph, writing.era)? {
        None => Ok(Ok(graph)),
        Some(reason) => distrust(cx, reason).map(Err),
    }
}

/// Compares some blocks, others each time; what is wrong with the first that does not agree.
fn sample(cx: &Inner, graph: &Graph<'_>, era: u64) -> Result<Option<String>> {
    let len = u64::from(graph.index().len());
    let samples = u64::from(cx.options.link_samples);
    let mut state = graph.index().seed() ^ era;
    for number in 0..samples.min(len) {
        cx.interrupt.check("compare the link index with blocks")?;
        state = next_random(state);
        let ordinal = if samples < len { state % len } else { number };
        let ordinal = u32::try_from(ordinal).expect("less than the number of blocks");
        if let Some(disagreement) = graph.check(ordinal)? {
            return Ok(Some(links::told(cx, &disagreement)));
        }
    }
    Ok(None)
}

/// A step of splitmix64.
const fn next_random(state: u64) -> u64 {
    let mut mixed = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn distrust(cx: &Inner, reason: String) -> Result<Fallback> {
    links::set_aside(cx, reason.clone())?;
    Ok(Fallback::Distrusted(reason))
}

/// What a run has learned of hot's links, to be written down for the next.
pub(crate) struct Learned {
    links: Links,
    bitmap: Arc<Bitmap>,
}

impl Learned {
    /// Of the graph that a run has marked by.
    pub(super) fn new(links: Links, bitmap: Arc<Bitmap>) -> Self {
        Self { links, bitmap }
    }

    /// Begins to write it into the run's folder.
    pub(super) fn save(self, cx: &Inner, work: &Work) -> Result<Option<PackWriter>> {
        let Some(writing) = cx.links.writing() else { return Ok(None) };
        let survivors = Survivors::new(self.bitmap.index().clone(), self.links, &self.bitmap);
        let (era, fingerprint) = (writing.era, writing.keyed.fingerprint());
        let head = Head { run: work.index, era, fingerprint, blocks: survivors.len() as u64 };
        PackWriter::create(&cx.files, &work.folder.join(links::NEW), head, survivors).map(Some)
    }
}
