//! The block ports of the store itself, and the untracked view for outsiders.

use cid::Cid;
use splitstore_domain::ObjectKind;
use splitstore_domain::object::identity_data;
use splitstore_ports::{Block, BlockRead, BlockWrite, ErrorKind, PortError, Result};

use crate::error::Error;
use crate::protection::{Permit, reference_to};
use crate::store::SplitStore;
use crate::tiers::Tiers;

impl BlockRead for SplitStore {
    fn view(&self, cid: &Cid, read: &mut dyn FnMut(&[u8])) -> Result<bool> {
        if let Stored::Elsewhere(data) = Stored::of(cid) {
            return Ok(data.map(read).is_some());
        }
        let permit = self.inner.protection.permit();
        let tiers = &self.inner.tiers;
        if shows(&permit, cid)? && tiers.hot.view(cid, read)? {
            permit.touched(cid);
            return Ok(true);
        }
        if !tiers.cold.view(cid, read)? {
            return Ok(false);
        }
        note_cold_hit(&permit, cid).map(|()| true)
    }

    fn view_many(&self, cids: &[Cid], read: &mut dyn FnMut(usize, &[u8])) -> Result<()> {
        for (index, cid) in cids.iter().enumerate() {
            self.view(cid, &mut |data| read(index, data))?;
        }
        Ok(())
    }

    fn has(&self, cid: &Cid) -> Result<bool> {
        if let Stored::Elsewhere(data) = Stored::of(cid) {
            return Ok(data.is_some());
        }
        let permit = self.inner.protection.permit();
        let tiers = &self.inner.tiers;
        if shows(&permit, cid)? && tiers.hot.has(cid)? {
            permit.touched(cid);
            return Ok(true);
        }
        if !tiers.cold.has(cid)? {
            return Ok(false);
        }
        note_cold_hit(&permit, cid).map(|()| true)
    }

    fn size(&self, cid: &Cid) -> Result<Option<u64>> {
        if let Stored::Elsewhere(data) = Stored::of(cid) {
            return Ok(data.map(|data| data.len() as u64));
        }
        let permit = self.inner.protection.permit();
        let tiers = &self.inner.tiers;
        if shows(&permit, cid)?
            && let Some(size) = tiers.hot.size(cid)?
        {
            permit.touched(cid);
            return Ok(Some(size));
        }
        let Some(size) = tiers.cold.size(cid)? else { return Ok(None) };
        note_cold_hit(&permit, cid).map(|()| Some(size))
    }
}

impl BlockWrite for SplitStore {
    /// Writes to hot. Identity and unitary CIDs are left out: no store holds them.
    fn put_many(&self, blocks: &[Block<'_>]) -> Result<()> {
        let stored: Vec<Block<'_>> =
            blocks.iter().filter(|block| ObjectKind::of(&block.cid).is_stored()).copied().collect();
        if stored.is_empty() {
            return Ok(());
        }
        let permit = self.inner.protection.permit();
        if let Some(filter) = permit.filter() {
            // Marked and logged before it is written: a crash between the two must not leave a block whose
            // children the resumed purge deletes.
            filter.protect_blocks(&stored).map_err(lower)?;
        }
        for block in &stored {
            permit.touched(&block.cid);
        }
        self.inner.tiers.hot.put_many(&stored)
    }

    fn sync(&self) -> Result<()> {
        self.flush().map_err(lower)
    }
}

/// Reads both tiers without leaving a trace: foreign readers must not keep garbage alive. It may still show a
/// block that the compaction under way is about to delete.
#[derive(Clone)]
pub struct Untracked(Tiers);

impl SplitStore {
    /// The untracked view.
    pub fn untracked(&self) -> Untracked {
        Untracked(self.inner.tiers.clone())
    }
}

impl BlockRead for Untracked {
    fn view(&self, cid: &Cid, read: &mut dyn FnMut(&[u8])) -> Result<bool> {
        if let Stored::Elsewhere(data) = Stored::of(cid) {
            return Ok(data.map(read).is_some());
        }
        Ok(self.0.hot.view(cid, read)? || self.0.cold.view(cid, read)?)
    }

    fn view_many(&self, cids: &[Cid], read: &mut dyn FnMut(usize, &[u8])) -> Result<()> {
        self.0.view_many(cids, read).map(|_| ())
    }

    fn has(&self, cid: &Cid) -> Result<bool> {
        if let Stored::Elsewhere(data) = Stored::of(cid) {
            return Ok(data.is_some());
        }
        Ok(self.0.hot.has(cid)? || self.0.cold.has(cid)?)
    }

    fn size(&self, cid: &Cid) -> Result<Option<u64>> {
        if let Stored::Elsewhere(data) = Stored::of(cid) {
            return Ok(data.map(|data| data.len() as u64));
        }
        Ok(self.0.hot.size(cid)?.or(self.0.cold.size(cid)?))
    }
}

/// Where the data of a CID is.
enum Stored<'a> {
    /// In a tier, if anywhere.
    Tiers,
    /// In the CID itself, or nowhere: commitments have no block.
    Elsewhere(Option<&'a [u8]>),
}

impl<'a> Stored<'a> {
    fn of(cid: &'a Cid) -> Self {
        match ObjectKind::of(cid) {
            ObjectKind::Identity => Self::Elsewhere(identity_data(cid)),
            ObjectKind::Unitary => Self::Elsewhere(None),
            ObjectKind::Dag | ObjectKind::Opaque => Self::Tiers,
        }
    }
}

/// Whether hot may be asked for this block.
fn shows(permit: &Permit<'_>, cid: &Cid) -> Result<bool> {
    permit.filter().map_or(Ok(true), |filter| filter.shows(cid).map_err(lower))
}

/// A block found in cold is relied on as much as one found in hot: what is below it must stay.
fn note_cold_hit(permit: &Permit<'_>, cid: &Cid) -> Result<()> {
    if let (Some(filter), Some(reference)) = (permit.filter(), reference_to(cid)) {
        return filter.protect(&[reference]).map_err(lower);
    }
    permit.touched(cid);
    Ok(())
}

/// The store's error as a port's.
pub(crate) fn lower(error: Error) -> PortError {
    match error {
        Error::Port(error) => error,
        error => PortError::new(ErrorKind::Corrupt, "protect a block during compaction", error),
    }
}
