//! Sets over made-up universes, and questions to them.

use std::sync::Arc;

use splitstore_conformance::Universe;
use splitstore_domain::BlockKey;
use splitstore_marksets::{BloomSets, DiskSets, ExactSets, RoaringSets};
use splitstore_ports::{MarkSet, MarkSetFactory, SetHint};

/// A factory of each kind; the disk set spills every 100 keys.
pub(crate) fn all() -> [Arc<dyn MarkSetFactory>; 4] {
    [Arc::new(ExactSets), Arc::new(RoaringSets), Arc::new(BloomSets), Arc::new(DiskSets::with_buffer(100))]
}

/// A hint that expects another number of keys than the universe has.
pub(crate) fn expecting(expected: u64, universe: &Universe) -> SetHint<'_> {
    SetHint { expected, ..universe.hint() }
}

pub(crate) fn has(set: &dyn MarkSet, keys: &[BlockKey]) -> Vec<bool> {
    let mut answers = Vec::new();
    set.has_many(keys, &mut answers).unwrap();
    answers
}

pub(crate) fn sealed(set: &dyn MarkSet) -> Vec<u8> {
    let mut bytes = Vec::new();
    set.seal(&mut bytes).unwrap();
    bytes
}
