//! A chain in the archive and the store together, followed downwards before anything is written.
//!
//! ```text
//!   tipset(key)     each header: in the archive?  the descent goes on to it, heights only fall
//!                                otherwise        the store is asked
//! ```
//! The archive is asked first: its blocks were hashed, and an import mends what is damaged in the store.

use std::io;

use cid::Cid;
use splitstore_domain::object::DAG_CBOR;
use splitstore_domain::{BlockKey, Epoch, TipsetKey};
use splitstore_filecoin::BlockHeader;
use splitstore_ports::{BlockRead, ErrorKind, PortError};

use super::error::ChainFault;
use super::headers::{Descent, Header};
use super::survey::Survey;
use crate::Untracked;

/// Greatest height that a node can write: heights are signed there.
const HIGHEST: Epoch = Epoch::new(i64::MAX.unsigned_abs());

/// Why a walk ended before genesis.
pub(super) enum Stop {
    Fault(ChainFault),
    Port(PortError),
}

impl From<ChainFault> for Stop {
    fn from(fault: ChainFault) -> Self {
        Self::Fault(fault)
    }
}

impl From<PortError> for Stop {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}

impl From<io::Error> for Stop {
    fn from(source: io::Error) -> Self {
        Self::Port(PortError::io("read the list of headers back", source))
    }
}

/// A tipset of it.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) key: TipsetKey,
    pub(super) height: Epoch,
    pub(super) parents: TipsetKey,
    /// Where the first of its headers stands in the archive; `None` if all are the store's.
    pub(super) offset: Option<u64>,
}

/// One walk down.
pub(super) struct Chain<'a> {
    survey: &'a Survey,
    store: Untracked,
    descent: Descent<'a>,
}

impl<'a> Chain<'a> {
    pub(super) fn new(survey: &'a Survey, store: Untracked) -> Result<Self, Stop> {
        Ok(Self { survey, store, descent: survey.headers.descend()? })
    }

    /// What `child` is built on; `None` at genesis.
    pub(super) fn below(&mut self, child: &Link) -> Result<Option<Link>, Stop> {
        if child.height == Epoch::GENESIS {
            return Ok(None);
        }
        if child.parents.is_empty() {
            return Err(ChainFault::NoParents { key: child.key.clone(), height: child.height }.into());
        }
        let parent = self.tipset(&child.parents)?;
        if parent.height < child.height {
            return Ok(Some(parent));
        }
        let (parent, parent_height) = (parent.key, parent.height);
        let (child, child_height) = (child.key.clone(), child.height);
        Err(ChainFault::NotBelow { child, child_height, parent, parent_height }.into())
    }

    /// The tipset of these headers.
    pub(super) fn tipset(&mut self, key: &TipsetKey) -> Result<Link, Stop> {
        let mut members = Vec::with_capacity(key.cids().len());
        let mut of_archive = Vec::new();
        for cid in key.cids() {
            if cid.codec() != DAG_CBOR {
                return Err(ChainFault::NotDagCbor { cid: Box::new(*cid) }.into());
            }
            let known = BlockKey::from(cid);
            if self.survey.keys.is_header(&known)? {
                of_archive.push(*cid);
            } else if self.survey.keys.has(&known)? {
                return Err(ChainFault::NotAHeader { cid: Box::new(*cid) }.into());
            } else {
                members.push(self.of_store(cid, key)?);
            }
        }
        self.of_archive(of_archive, &mut members)?;
        form(key, &members)
    }

    fn of_store(&self, cid: &Cid, key: &TipsetKey) -> Result<Header, Stop> {
        let mut decoded = None;
        match self.store.view(cid, &mut |data| decoded = Some(BlockHeader::decode(data))) {
            Ok(_) => {}
            Err(source) if source.kind() == ErrorKind::Corrupt => {
                return Err(ChainFault::Unreadable { source }.into());
            }
            Err(source) => return Err(source.into()),
        }
        match decoded {
            Some(Ok(header)) => {
                Ok(Header { cid: *cid, height: header.height, parents: header.built_on(), offset: None })
            }
            Some(Err(fault)) => {
                let source = PortError::new(ErrorKind::Corrupt, format!("read header {cid}"), fault);
                Err(ChainFault::Unreadable { source }.into())
            }
            None => Err(ChainFault::Missing { cid: Box::new(*cid), key: key.clone() }.into()),
        }
    }

    /// Finds headers that the archive is known to hold. The descent has passed what stands too high; then all of
    /// the list is searched, once, as the walk will end there.
    fn of_archive(&mut self, mut wanted: Vec<Cid>, members: &mut Vec<Header>) -> Result<(), Stop> {
        find(&mut self.descent, &mut wanted, members)?;
        if wanted.is_empty() {
            return Ok(());
        }
        find(&mut self.survey.headers.descend()?, &mut wanted, members)?;
        match wanted.first() {
            Some(cid) => Err(ChainFault::NotAHeader { cid: Box::new(*cid) }.into()),
            None => Ok(()),
        }
    }
}

fn find(descent: &mut Descent<'_>, wanted: &mut Vec<Cid>, members: &mut Vec<Header>) -> io::Result<()> {
    while !wanted.is_empty()
        && let Some(header) = descent.next()?
    {
        let before = wanted.len();
        wanted.retain(|cid| *cid != header.cid);
        if wanted.len() < before {
            members.push(header);
        }
    }
    Ok(())
}

/// The tipset that these headers form, if they do.
fn form(key: &TipsetKey, members: &[Header]) -> Result<Link, Stop> {
    let missing = || ChainFault::NoHeaders { key: key.clone() };
    let first = members.first().ok_or_else(missing)?;
    if first.height > HIGHEST {
        return Err(ChainFault::TooHigh { key: key.clone(), height: first.height }.into());
    }
    let differs = |other: &&Header| (other.height, &other.parents) != (first.height, &first.parents);
    if let Some(other) = members.iter().find(differs) {
        return Err(ChainFault::NoTipset { one: Box::new(first.cid), other: Box::new(other.cid) }.into());
    }
    let offset = members.iter().filter_map(|header| header.offset).min();
    Ok(Link { key: key.clone(), height: first.height, parents: first.parents.clone(), offset })
}
