//! Is all there below the states and messages of the archive's chain? Read off the archive as it passes.
//!
//! ```text
//!   a header of the chain passes      its state and messages, where they are there at all, are needed
//!   a needed block passes             what it links to must be there, and is needed, too
//!   at the end of a reading           all needed blocks have passed: whole
//!                                     some passed before they were needed: read once more
//! ```
//! Exports write parents before children, so one reading does. If in the first reading no link at all leads out of the
//! archive, it is whole whatever its order. Blocks that only the store holds are walked there.

use std::path::Path;

use cid::Cid;
use splitstore_car::{CarBlock, CarReader, HashCheck};
use splitstore_domain::BlockKey;
use splitstore_domain::links::LinkError;
use splitstore_domain::object::DAG_CBOR;
use splitstore_filecoin::BlockHeader;
use splitstore_ports::BlockRead;

use super::check::{Pace, reopen};
use super::error::ImportError;
use super::needs::needs_of;
use super::survey::Survey;
use super::{Pass, Show};
use crate::Untracked;
use crate::folder::StoreFolder;

/// Readings until an archive counts as tangled.
const PASSES_MAX: u32 = 64;

/// Refuses an archive that lacks a block below a state or a list of messages that is there.
pub(super) fn check(
    folder: &StoreFolder,
    path: &Path,
    survey: &Survey,
    show: &mut Show<'_>,
) -> Result<(), ImportError> {
    let store = folder.store().untracked();
    let mut follow = Follow { path, survey, store, pass: 0, needed: 0, expanded: 0, gap: None };
    for passes in 1..=PASSES_MAX {
        follow.pass = passes;
        follow.read(show)?;
        if follow.needed == follow.expanded {
            return Ok(());
        }
        match follow.gap {
            None => return Ok(()),
            Some((offset, parent)) if passes == PASSES_MAX => {
                let path = path.to_owned();
                return Err(ImportError::Tangled { path, offset, parent: Box::new(parent), passes });
            }
            Some(_) => {}
        }
    }
    Ok(())
}

struct Follow<'a> {
    path: &'a Path,
    survey: &'a Survey,
    store: Untracked,
    pass: u32,
    /// Blocks of the archive that are needed, and those of them whose links were followed.
    needed: u64,
    expanded: u64,
    /// The first block, needed or not, with a link out of the archive.
    gap: Option<(u64, Cid)>,
}

/// A block that leads on, and where in the archive it, or what led to it, stands.
#[derive(Clone, Copy)]
struct From<'a> {
    cid: &'a Cid,
    offset: u64,
}

/// What it means that a block is nowhere.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Absence {
    /// The part was perhaps never there.
    Tolerated,
    Fault,
}

impl Follow<'_> {
    fn read(&mut self, show: &mut Show<'_>) -> Result<(), ImportError> {
        let mut reader = reopen(self.path, &self.survey.checked)?.with_hash_check(HashCheck::Trust);
        let mut pace = Pace::new(Pass::Follow);
        while let Some(block) = self.next(&mut reader)? {
            self.look(&block)?;
            pace.block(self.path, &reader, show)?;
        }
        pace.show(self.path, &reader, show)?;
        let same = pace.blocks == self.survey.checked.blocks;
        if same { Ok(()) } else { Err(ImportError::changed(self.path)) }
    }

    fn next(&self, reader: &mut CarReader) -> Result<Option<CarBlock>, ImportError> {
        reader.next_block().map_err(|_| ImportError::changed(self.path))
    }

    fn look(&mut self, block: &CarBlock) -> Result<(), ImportError> {
        let (port, keys) = (ImportError::port(self.path), &self.survey.keys);
        let key = BlockKey::from(&block.cid);
        let is_needed = keys.is_needed(&key).map_err(&port)?;
        let is_new = is_needed && keys.expand(key.clone()).map_err(&port)?;
        self.expanded += u64::from(is_new);
        if block.cid.codec() == DAG_CBOR && keys.is_on_chain(&key).map_err(&port)? {
            return self.header(block);
        }
        if is_new {
            return self.expand(From { cid: &block.cid, offset: block.offset }, &block.data);
        }
        if self.pass == 1 && !is_needed && self.gap.is_none() && block.cid.codec() == DAG_CBOR {
            return self.look_for_gap(block);
        }
        Ok(())
    }

    /// What the retention table may keep strictly of a header: its state and its messages.
    fn header(&mut self, block: &CarBlock) -> Result<(), ImportError> {
        let header = BlockHeader::decode(&block.data).map_err(|_| ImportError::changed(self.path))?;
        let from = From { cid: &block.cid, offset: block.offset };
        for root in [header.state, header.messages] {
            // A part that is absent at its root may never have been there.
            if root.codec() == DAG_CBOR {
                self.need(from, &BlockKey::from(&root), Absence::Tolerated)?;
            }
        }
        Ok(())
    }

    /// Everything that a needed block leads to is needed.
    fn expand(&mut self, from: From<'_>, data: &[u8]) -> Result<(), ImportError> {
        let needs = needs_of(data).map_err(|source| self.malformed(from, source))?;
        needs.iter().try_for_each(|key| self.need(from, key, Absence::Fault))
    }

    /// Notes a key as needed, or walks it in the store.
    fn need(&mut self, from: From<'_>, key: &BlockKey, absence: Absence) -> Result<(), ImportError> {
        if self.note(key)? {
            return Ok(());
        }
        let mut open = match self.below_held(from.offset, key)? {
            Some(below) => below,
            None if absence == Absence::Tolerated => return Ok(()),
            None => return Err(self.missing(from, key)),
        };
        while let Some((parent, key)) = open.pop() {
            if self.note(&key)? {
                continue;
            }
            let below = self.below_held(from.offset, &key)?;
            open.extend(below.ok_or_else(|| self.missing(From { cid: &parent, ..from }, &key))?);
        }
        Ok(())
    }

    /// Notes a key as needed if the archive holds it; whether it does.
    fn note(&mut self, key: &BlockKey) -> Result<bool, ImportError> {
        let (port, keys) = (ImportError::port(self.path), &self.survey.keys);
        let is_inside = keys.has(key).map_err(&port)?;
        if is_inside {
            self.needed += u64::from(keys.need(key.clone()).map_err(&port)?);
        }
        Ok(is_inside)
    }

    /// What a block of the store leads to, with itself beside it: nothing when it is asked about again, `None` if the
    /// store does not hold it.
    fn below_held(&self, offset: u64, key: &BlockKey) -> Result<Option<Vec<(Cid, BlockKey)>>, ImportError> {
        let (port, keys) = (ImportError::port(self.path), &self.survey.keys);
        if keys.is_walked(key).map_err(&port)? {
            return Ok(Some(Vec::new()));
        }
        let cid = key.to_cid(DAG_CBOR);
        let mut needs = None;
        self.store.view(&cid, &mut |data| needs = Some(needs_of(data))).map_err(&port)?;
        let Some(needs) = needs else { return Ok(None) };
        keys.note_walked(key.clone()).map_err(&port)?;
        let needs = needs.map_err(|source| self.malformed(From { cid: &cid, offset }, source))?;
        Ok(Some(needs.into_iter().map(|key| (cid, key)).collect()))
    }

    /// Notes the first block with a link that does not stay inside the archive, or that has none we can read.
    fn look_for_gap(&mut self, block: &CarBlock) -> Result<(), ImportError> {
        let is_inside = match needs_of(&block.data) {
            Ok(needs) => {
                let mut needs = needs.iter();
                needs.try_fold(true, |inside, key| Ok(inside && self.survey.keys.has(key)?))
            }
            Err(_) => Ok(false),
        };
        if !is_inside.map_err(ImportError::port(self.path))? {
            self.gap = Some((block.offset, block.cid));
        }
        Ok(())
    }

    fn missing(&self, from: From<'_>, key: &BlockKey) -> ImportError {
        let (parent, missing) = (Box::new(*from.cid), Box::new(key.to_cid(DAG_CBOR)));
        ImportError::MissingBlock { path: self.path.to_owned(), offset: from.offset, parent, missing }
    }

    fn malformed(&self, from: From<'_>, source: LinkError) -> ImportError {
        let cid = Box::new(*from.cid);
        ImportError::MalformedBlock { path: self.path.to_owned(), offset: from.offset, cid, source }
    }
}
