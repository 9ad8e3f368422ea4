//! The block ports of the store itself, and the untracked view for outsiders.

mod many;

use std::panic::Location;

use cid::Cid;
use splitstore_domain::object::identity_data;
use splitstore_domain::{ObjectKind, digest};
use splitstore_ports::{Block, BlockRead, BlockReadExt, BlockWrite, ErrorKind, PortError, Result};

use crate::error::Error;
use crate::filter::Leaving;
use crate::pacer::Kind;
use crate::protection::{Moment, Noted, Stage, reference_to};
use crate::store::{Inner, SplitStore};
use crate::tiers::Tiers;

impl BlockRead for SplitStore {
    #[track_caller]
    fn view(&self, cid: &Cid, read: &mut dyn FnMut(&[u8])) -> Result<bool> {
        if let Stored::Elsewhere(data) = Stored::of(cid) {
            return Ok(data.map(read).is_some());
        }
        let inner = &self.inner;
        let mut sample = inner.pacer.sample(Kind::Read, cid, &*inner.clock);
        let read: &mut dyn FnMut(&[u8]) = &mut |data| {
            inner.pacer.hear(sample.take(), &*inner.clock);
            read(data);
        };
        // From here on the block is pinned: a run that begins or seals now takes it for a reference.
        let (_open, stage) = inner.protection.view(cid, Location::caller(), inner.clock.elapsed());
        let filter = if stage == Stage::Filtering { inner.protection.filter() } else { None };
        let shown = filter.map_or(Ok(true), |filter| filter.shows(cid).map_err(lower))?;
        if shown && inner.tiers.hot.view(cid, read)? {
            return inner.keep(cid, Tier::Hot, None).map(|_| true);
        }
        if !inner.tiers.cold.view(cid, read)? {
            return Ok(false);
        }
        inner.keep(cid, Tier::Cold, None).map(|_| true)
    }

    #[track_caller]
    fn view_many(&self, cids: &[Cid], read: &mut dyn FnMut(usize, &[u8])) -> Result<()> {
        self.inner.view_all(cids, Location::caller(), read)
    }

    fn has(&self, cid: &Cid) -> Result<bool> {
        if let Stored::Elsewhere(data) = Stored::of(cid) {
            return Ok(data.is_some());
        }
        Ok(self.inner.find_paced(cid, |tier| Ok(tier.has(cid)?.then_some(())))?.is_some())
    }

    fn size(&self, cid: &Cid) -> Result<Option<u64>> {
        if let Stored::Elsewhere(data) = Stored::of(cid) {
            return Ok(data.map(|data| data.len() as u64));
        }
        self.inner.find_paced(cid, |tier| tier.size(cid))
    }
}

impl SplitStore {
    /// A copy of the block's data. Cheaper than [`BlockRead::view`] where a copy is wanted anyway: nothing is
    /// pinned.
    pub fn get(&self, cid: &Cid) -> Result<Option<Vec<u8>>> {
        if let Stored::Elsewhere(data) = Stored::of(cid) {
            return Ok(data.map(<[u8]>::to_vec));
        }
        self.inner.find_paced(cid, |tier| tier.get(cid))
    }
}

/// Where a block was found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tier {
    Hot,
    Cold,
}

impl Inner {
    /// Looks in hot, then in cold. While nothing runs, all that this adds is to look at the moment twice.
    fn find<T>(&self, cid: &Cid, look: impl Fn(&dyn BlockRead) -> Result<Option<T>>) -> Result<Option<T>> {
        loop {
            let moment = self.protection.moment();
            let hot = look(&*self.tiers.hot)?;
            let (found, tier) = match hot {
                Some(hot) => (Some(hot), Tier::Hot),
                None => (look(&*self.tiers.cold)?, Tier::Cold),
            };
            let quiet = moment.stage() == Stage::Idle && self.protection.moment() == moment;
            if found.is_none() || quiet {
                return Ok(found);
            }
            match self.keep(cid, tier, Some(moment))? {
                Kept::Yes => return Ok(found),
                Kept::Overtaken => {}
                // The filter hides what hot showed: cold decides.
                Kept::Hidden => {
                    let Some(cold) = look(&*self.tiers.cold)? else { return Ok(None) };
                    if self.keep(cid, Tier::Cold, Some(moment))? == Kept::Yes {
                        return Ok(Some(cold));
                    }
                }
            }
        }
    }

    /// The same; the run under way, if there is one, hears now and then how long it took.
    fn find_paced<T>(
        &self,
        cid: &Cid,
        look: impl Fn(&dyn BlockRead) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        let sample = self.pacer.sample(Kind::Read, cid, &*self.clock);
        let found = self.find(cid, look);
        self.pacer.hear(sample, &*self.clock);
        found
    }

    /// The node relies on this block and all below it, without having read or written it now.
    pub(crate) fn rely_on(&self, cid: &Cid) -> Result<()> {
        match self.protection.found(cid, None) {
            Noted::Safe | Noted::Overtaken => Ok(()),
            // In whichever tier it is, and wherever what is below it is: from here on in hot, if it is there now.
            Noted::Filtering(filter) => filter.protect(reference_to(cid).as_slice()).map_err(lower),
        }
    }

    /// A block was found: from now on it stays with all that is below it, unless the filter hides it.
    fn keep(&self, cid: &Cid, tier: Tier, since: Option<Moment>) -> Result<Kept> {
        let filter = match self.protection.found(cid, since) {
            Noted::Safe => return Ok(Kept::Yes),
            Noted::Overtaken => return Ok(Kept::Overtaken),
            Noted::Filtering(filter) => filter,
        };
        if tier == Tier::Hot {
            let shown = filter.shows(cid).map_err(lower)?;
            return Ok(if shown { Kept::Yes } else { Kept::Hidden });
        }
        // A block found in cold is relied on as much as one found in hot: what is below it must stay. Where cold
        // takes all that leaves hot, it does.
        if filter.leaving() == Leaving::ForGood {
            filter.protect_found(cid).map_err(lower)?;
        }
        Ok(Kept::Yes)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    Yes,
    Hidden,
    Overtaken,
}

impl BlockWrite for SplitStore {
    /// Writes to hot. Identity and unitary CIDs are left out: no store holds them.
    fn put_many(&self, blocks: &[Block<'_>]) -> Result<()> {
        let stored: Vec<Block<'_>> =
            blocks.iter().filter(|block| ObjectKind::of(&block.cid).is_stored()).copied().collect();
        if stored.is_empty() {
            return Ok(());
        }
        let _timed =
            self.inner.pacer.timed(Kind::Put, stored.first().map(|block| &block.cid), &*self.inner.clock);
        stored.iter().try_for_each(|block| check_hash_function(&block.cid))?;
        let Inner { protection, tiers, .. } = &*self.inner;
        let _permit = protection.write();
        let links = self.inner.links.note(&stored);
        let links = links.as_deref();
        match protection.stage() {
            Stage::Idle => return tiers.put(&stored, links),
            // Written before it is recorded: a drain must find it.
            Stage::Tracking => tiers.put(&stored, links)?,
            // Written with its marks in one batch: a crash must not leave a block whose children the resumed
            // purge deletes.
            Stage::Filtering => {
                return match protection.filter() {
                    Some(filter) => filter.put(&stored, links).map_err(lower),
                    None => tiers.put(&stored, links),
                };
            }
        }
        for block in &stored {
            protection.reference(&block.cid);
        }
        Ok(())
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
    /// The untracked view. It does not keep the store alive, only its tiers: what a chain over this store reads
    /// ([`SplitStore::start`]).
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

/// A block whose hash cannot be checked could never be moved to cold, and would end every run.
fn check_hash_function(cid: &Cid) -> Result<()> {
    if digest::is_supported(cid.hash().code()) {
        return Ok(());
    }
    let attempt = format!("put block {cid}: blake2b-256 and sha2-256 can be checked, its hash cannot");
    Err(PortError::bare(ErrorKind::Unsupported, attempt))
}

/// The store's error as a port's.
pub(crate) fn lower(error: Error) -> PortError {
    match error {
        Error::Port(error) => error,
        error => PortError::new(ErrorKind::Corrupt, "protect a block during compaction", error),
    }
}
