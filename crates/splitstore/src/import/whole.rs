//! Is the chain of an archive whole, and is it the store's chain? Found out before anything is written.
//!
//! ```text
//!   new    head -- .. -- o -- o -- .. -- genesis     every header there, heights falling, the lowest 0
//!                       /
//!   held   head -- .. -o                             walked beside it, never below it, until both meet
//! ```
//! Where the two meet they have one genesis. Where they never meet both are walked down, and compared there.
//! Reads are untracked, one tipset of each chain is held in memory.

use std::path::Path;

use splitstore_domain::{BlockKey, Tipset, TipsetKey};
use splitstore_ports::ChainAccessor;

use super::OtherChain;
use super::chain::{Chain, Link, Stop};
use super::error::ImportError;
use super::survey::Survey;
use crate::folder::StoreFolder;

/// Walks the chain below `head` down to genesis, notes its headers, and refuses it if it is not whole, or not the
/// store's own.
pub(super) fn check(
    folder: &StoreFolder,
    path: &Path,
    survey: &Survey,
    head: &Tipset,
    other: OtherChain,
) -> Result<(), ImportError> {
    let unlike = |stop| match stop {
        Stop::Fault(source) => ImportError::UnknownGenesis { path: path.to_owned(), source },
        Stop::Port(source) => ImportError::port(path)(source),
    };
    let mut offset = 0;
    let broken = |offset: u64| {
        move |stop| match stop {
            Stop::Fault(source) => ImportError::BrokenChain { path: path.to_owned(), offset, source },
            Stop::Port(source) => ImportError::port(path)(source),
        }
    };
    let mut own = Own::new(folder, survey, other).map_err(unlike)?;
    let mut chain = Chain::new(survey, folder.store().untracked()).map_err(broken(offset))?;
    let mut at = chain.tipset(&head.key).map_err(broken(offset))?;
    loop {
        offset = at.offset.unwrap_or(offset);
        note(survey, &at).map_err(broken(offset))?;
        own.go_beside(&at).map_err(unlike)?;
        let Some(parent) = chain.below(&at).map_err(broken(offset))? else { break };
        at = parent;
    }
    match own.at {
        Some(held) => Err(ImportError::OtherGenesis {
            path: path.to_owned(),
            held: Box::new(held.key),
            found: Box::new(at.key),
        }),
        None => Ok(()),
    }
}

fn note(survey: &Survey, link: &Link) -> Result<(), Stop> {
    let mut keys = link.key.cids().iter().map(BlockKey::from);
    Ok(keys.try_for_each(|key| survey.keys.note_chain(key))?)
}

/// The store's own chain.
struct Own<'a> {
    chain: Chain<'a>,
    /// Where the walk along it is; `None` where it met the other, or if there is none.
    at: Option<Link>,
}

impl<'a> Own<'a> {
    fn new(folder: &StoreFolder, survey: &'a Survey, other: OtherChain) -> Result<Self, Stop> {
        let mut chain = Chain::new(survey, folder.store().untracked())?;
        let head = folder.chain().heaviest()?.map(|head| head.key);
        // A head that could not be read when the store was opened: the archive may mend it.
        let key = head
            .or_else(|| folder.lost_head().map(|lost| lost.key.clone()))
            .filter(|_| other == OtherChain::Refuse);
        let at = key.map(|key| chain.tipset(&key)).transpose()?;
        Ok(Self { chain, at })
    }

    /// Follows it down until it is not above `new`, and forgets it where the two meet.
    fn go_beside(&mut self, new: &Link) -> Result<(), Stop> {
        let Some(mut held) = self.at.take() else { return Ok(()) };
        while held.height > new.height
            && let Some(parent) = self.chain.below(&held)?
        {
            held = parent;
        }
        self.at = (!is_same(&held.key, &new.key)).then_some(held);
        Ok(())
    }
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
