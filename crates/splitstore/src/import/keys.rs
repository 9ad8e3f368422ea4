//! What is known of the keys of an archive while it is checked.
//!
//! ```text
//!   in the archive      marked                        every block
//!   is a header         visited as Header             what decodes as one
//!   is needed           visited as Dag                the walk from the head's chain leads to it
//!   is expanded         visited as Opaque             and its links were followed
//! ```
//! One exact set on disk holds all four: 128 keyed bits per key, 17 bytes of disk and 1.6 of memory each beyond the
//! first 1.8 million. Two more hold the headers of the chain, and the blocks of the store that were walked.

use std::sync::Arc;

use splitstore_domain::BlockKey;
use splitstore_marksets::DiskSets;
use splitstore_ports::{KeyScan, Reading, Result, SetHint, Visit, VisitSet, VisitSetFactory};

use super::scratch::Scratch;

/// Keys that are noted together.
const BATCH: usize = 1024;

/// The sets, and the folder they spill into.
pub(super) struct Keys {
    all: Arc<dyn VisitSet>,
    chain: Arc<dyn VisitSet>,
    /// Blocks of the store that were walked.
    held: Arc<dyn VisitSet>,
    batch: Vec<BlockKey>,
}

impl Keys {
    /// Empty sets; sets on disk make nothing of a universe.
    pub(super) fn new(scratch: &Scratch, universe: &dyn KeyScan) -> Result<Self> {
        let set = || {
            let hint = SetHint { expected: 0, universe, folder: scratch.path() };
            VisitSetFactory::create(&DiskSets::default(), &hint)
        };
        Ok(Self { all: set()?, chain: set()?, held: set()?, batch: Vec::with_capacity(BATCH) })
    }

    /// A block of the archive.
    pub(super) fn note(&mut self, key: BlockKey) -> Result<()> {
        self.batch.push(key);
        if self.batch.len() < BATCH { Ok(()) } else { self.noted() }
    }

    /// That was all of them.
    pub(super) fn noted(&mut self) -> Result<()> {
        self.all.mark_many(&self.batch)?;
        self.batch.clear();
        Ok(())
    }

    pub(super) fn note_header(&self, key: BlockKey) -> Result<()> {
        first(&*self.all, key, Reading::Header).map(drop)
    }

    pub(super) fn note_chain(&self, key: BlockKey) -> Result<()> {
        first(&*self.chain, key, Reading::Header).map(drop)
    }

    /// Whether the archive holds it.
    pub(super) fn has(&self, key: &BlockKey) -> Result<bool> {
        let mut found = Vec::with_capacity(1);
        self.all.has_many(std::slice::from_ref(key), &mut found)?;
        Ok(found.contains(&true))
    }

    /// Whether the archive holds it, and it is a header.
    pub(super) fn is_header(&self, key: &BlockKey) -> Result<bool> {
        was(&*self.all, key, Reading::Header)
    }

    /// Whether the walk down from the head came by it.
    pub(super) fn is_on_chain(&self, key: &BlockKey) -> Result<bool> {
        was(&*self.chain, key, Reading::Header)
    }

    /// Notes a block of the archive as needed; whether that is new.
    pub(super) fn need(&self, key: BlockKey) -> Result<bool> {
        first(&*self.all, key, Reading::Dag)
    }

    pub(super) fn is_needed(&self, key: &BlockKey) -> Result<bool> {
        was(&*self.all, key, Reading::Dag)
    }

    /// Notes a needed block as expanded; whether that is new.
    pub(super) fn expand(&self, key: BlockKey) -> Result<bool> {
        first(&*self.all, key, Reading::Opaque)
    }

    /// Notes a block of the store whose links were followed.
    pub(super) fn note_walked(&self, key: BlockKey) -> Result<()> {
        first(&*self.held, key, Reading::Dag).map(drop)
    }

    pub(super) fn is_walked(&self, key: &BlockKey) -> Result<bool> {
        was(&*self.held, key, Reading::Dag)
    }
}

fn first(set: &dyn VisitSet, key: BlockKey, reading: Reading) -> Result<bool> {
    let mut first = Vec::with_capacity(1);
    set.visit_many(&[Visit { key, reading }], &mut first)?;
    Ok(first.contains(&true))
}

fn was(set: &dyn VisitSet, key: &BlockKey, reading: Reading) -> Result<bool> {
    let mut before = Vec::with_capacity(1);
    set.visited_many(&[Visit { key: key.clone(), reading }], &mut before)?;
    Ok(before.contains(&true))
}
