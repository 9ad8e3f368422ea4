//! What the store adds to a hit in hot, beside what identical code differs by.

use anyhow::Result;

use crate::compare::{Gauges, Site};
use crate::{Hits, Reader};

/// Chunks of 100 keys that each of the three reads.
const CHUNKS: usize = 3_000;
/// Blocks that are read: they fit the engine's cache.
const BLOCKS: usize = 50_000;
/// What the store may add beyond what the control differs by.
const ALLOWED: f64 = 0.03;

/// Hits of blocks in the engine's cache.
pub(crate) fn hits(site: &Site) -> Result<Gauges> {
    let copy = site.copy()?;
    let recent = site.stored.recent()?;
    let each = recent.len().div_ceil(BLOCKS).max(1);
    let cids = recent.into_iter().step_by(each).collect();
    let chunks = Hits::on(copy.path(), site.stored.settings(), cids, site.fresh()?)?.chunks(CHUNKS)?;
    let control = chunks.ratio(Reader::Control, 500);
    Ok(vec![
        ("store", chunks.nanos(Reader::Store)),
        ("engine", chunks.nanos(Reader::Engine)),
        ("control", control),
        ("ratio", chunks.ratio(Reader::Store, 500)),
        ("allowed", 1.0 + (control - 1.0).abs() + ALLOWED),
    ])
}
