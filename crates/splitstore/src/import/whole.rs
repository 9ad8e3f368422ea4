//! After the blocks are written and before the head moves: is the new chain whole, and is it the store's chain?
//!
//! ```text
//!   new    head -- .. -- o -- o -- .. -- genesis     every header there, heights falling, the lowest 0
//!                       /
//!   held   head -- .. -o                             walked beside it, never below it, until both meet
//! ```
//! Where the two meet they have one genesis. Where they never meet both are walked down, and compared there.
//! Reads are untracked, one tipset of each chain is held in memory.

use std::path::Path;

use cid::Cid;
use splitstore_domain::object::DAG_CBOR;
use splitstore_domain::{Epoch, Tipset, TipsetKey};
use splitstore_ports::{BlockRead, ChainAccessor, ErrorKind, PortError};

use super::OtherChain;
use super::error::{ChainFault, ImportError};
use crate::folder::StoreFolder;

/// Greatest height that a node can write: heights are signed there.
const HIGHEST: Epoch = Epoch::new(i64::MAX.unsigned_abs());

/// Why a walk ended before genesis.
enum Stop {
    Fault(ChainFault),
    Port(PortError),
}

impl From<ChainFault> for Stop {
    fn from(fault: ChainFault) -> Self {
        Self::Fault(fault)
    }
}

/// Walks the chain below `head` down to genesis, and refuses it if it is not whole, or not the store's own.
pub(super) fn check(
    folder: &StoreFolder,
    path: &Path,
    head: &Tipset,
    other: OtherChain,
) -> Result<(), ImportError> {
    let broken = |stop| match stop {
        Stop::Fault(source) => ImportError::BrokenChain { path: path.to_owned(), source },
        Stop::Port(source) => ImportError::port(path)(source),
    };
    let unlike = |stop| match stop {
        Stop::Fault(source) => ImportError::UnknownGenesis { path: path.to_owned(), source },
        Stop::Port(source) => ImportError::port(path)(source),
    };
    let mut held = match other {
        OtherChain::Refuse => held(folder).map_err(unlike)?,
        OtherChain::Replace => None,
    };
    sound(head).map_err(|fault| broken(fault.into()))?;
    let mut at = head.clone();
    loop {
        held = beside(folder, held, &at).map_err(unlike)?;
        let Some(parent) = below(folder, &at).map_err(broken)? else { break };
        at = parent;
    }
    match held {
        Some(held) => Err(ImportError::OtherGenesis {
            path: path.to_owned(),
            held: Box::new(held.key),
            found: Box::new(at.key),
        }),
        None => Ok(()),
    }
}

/// The head of the store's own chain, if it has one.
fn held(folder: &StoreFolder) -> Result<Option<Tipset>, Stop> {
    if let Some(head) = folder.chain().heaviest().map_err(Stop::Port)? {
        return Ok(Some(head));
    }
    // A head that could not be read when the store was opened: the archive may just have mended it.
    let lost = folder.lost_head().map(|key| read(folder, key));
    lost.transpose()
}

/// The store's own chain, followed down until it is not above `at`; `None` where the two meet.
fn beside(folder: &StoreFolder, held: Option<Tipset>, at: &Tipset) -> Result<Option<Tipset>, Stop> {
    let Some(mut held) = held else { return Ok(None) };
    while held.height > at.height
        && let Some(parent) = below(folder, &held)?
    {
        held = parent;
    }
    Ok((!is_same(&held.key, &at.key)).then_some(held))
}

/// The roots of an archive may stand in another order than a child names them in.
fn is_same(one: &TipsetKey, two: &TipsetKey) -> bool {
    let sorted = |key: &TipsetKey| {
        let mut cids = key.cids().to_vec();
        cids.sort_unstable();
        cids
    };
    one == two || sorted(one) == sorted(two)
}

/// What `child` is built on; `None` at genesis.
fn below(folder: &StoreFolder, child: &Tipset) -> Result<Option<Tipset>, Stop> {
    if child.height == Epoch::GENESIS {
        return Ok(None);
    }
    if child.parents.is_empty() {
        return Err(ChainFault::NoParents { key: child.key.clone(), height: child.height }.into());
    }
    let parent = read(folder, &child.parents)?;
    if parent.height >= child.height {
        let (parent, parent_height) = (parent.key, parent.height);
        let (child, child_height) = (child.key.clone(), child.height);
        return Err(ChainFault::NotBelow { child, child_height, parent, parent_height }.into());
    }
    Ok(Some(parent))
}

fn read(folder: &StoreFolder, key: &TipsetKey) -> Result<Tipset, Stop> {
    match folder.chain().tipset(key) {
        Ok(Some(tipset)) => {
            sound(&tipset)?;
            Ok(tipset)
        }
        Ok(None) => Err(missing(folder, key)),
        Err(source) if source.kind() == ErrorKind::Corrupt => Err(ChainFault::Unreadable { source }.into()),
        Err(source) => Err(Stop::Port(source)),
    }
}

/// Names the header of `key` that is not there.
fn missing(folder: &StoreFolder, key: &TipsetKey) -> Stop {
    let view = folder.store().untracked();
    let mut absent = None;
    for cid in key.cids() {
        match view.has(cid) {
            Ok(true) => {}
            Ok(false) => absent = absent.or(Some(*cid)),
            Err(source) => return Stop::Port(source),
        }
    }
    // All there by now: something else writes to the store, and the key as a whole was not there before.
    let cid = absent.or_else(|| key.cids().first().copied()).unwrap_or_default();
    ChainFault::Missing { cid: Box::new(cid), key: key.clone() }.into()
}

/// A tipset that can stand in a chain at all.
fn sound(tipset: &Tipset) -> Result<(), ChainFault> {
    let is_foreign = |cid: &&Cid| cid.codec() != DAG_CBOR;
    if let Some(cid) = tipset.key.cids().iter().find(is_foreign) {
        return Err(ChainFault::NotDagCbor { cid: Box::new(*cid) });
    }
    if tipset.height > HIGHEST {
        return Err(ChainFault::TooHigh { key: tipset.key.clone(), height: tipset.height });
    }
    Ok(())
}
