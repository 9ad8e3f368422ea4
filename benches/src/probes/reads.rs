//! Many blocks in one call against one call each.

use std::hint::black_box;
use std::time::Duration;

use anyhow::{Result, ensure};
use cid::Cid;
use splitstore_orchestrator::SplitStore;

use crate::compare::{Gauges, Site};
use crate::compose;
use crate::order::shuffled;
use crate::pair::{in_turns, timed};

/// Blocks that are read: they fit the engine's cache.
const BLOCKS: usize = 50_000;
/// Blocks of one call.
const CALL: usize = 256;
/// Blocks between two turns.
const TURN: usize = CALL * 16;

/// Both in turns, each block by both, all in the engine's cache.
pub(crate) fn many(site: &Site) -> Result<Gauges> {
    let copy = site.copy()?;
    let store = compose::open(copy.path(), site.stored.settings())?.store;
    let cids: Vec<Cid> = shuffled(site.stored.recent()?).into_iter().take(BLOCKS).collect();
    one_by_one(&store, &cids)?;
    let (mut many, mut each) = (Duration::ZERO, Duration::ZERO);
    for (turn, cids) in cids.chunks(TURN).enumerate() {
        let ours = || timed(&site.clock, || together(&store, cids));
        let (ours, raw) = in_turns(turn, ours, || timed(&site.clock, || one_by_one(&store, cids)))?;
        ensure!(ours.1 == raw.1, "{} bytes in batches, {} one by one", ours.1, raw.1);
        (many, each) = (many + ours.0, each + raw.0);
    }
    let nanos = |time: Duration| time.as_nanos() as f64 / cids.len() as f64;
    Ok(vec![("many", nanos(many)), ("each", nanos(each))])
}

fn together(store: &SplitStore, cids: &[Cid]) -> Result<usize> {
    let mut bytes = 0;
    for call in cids.chunks(CALL) {
        let found = store.get_many(call)?;
        bytes += black_box(&found).iter().flatten().map(Vec::len).sum::<usize>();
    }
    Ok(bytes)
}

fn one_by_one(store: &SplitStore, cids: &[Cid]) -> Result<usize> {
    let mut bytes = 0;
    for cid in cids {
        bytes += black_box(store.get(cid)?).map_or(0, |data| data.len());
    }
    Ok(bytes)
}
