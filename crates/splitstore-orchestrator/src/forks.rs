//! Reverted tipsets that are younger than finality: the chain may come back to them, so they are roots of every run.
//!
//! ```text
//!            .-- a -- b          reverted: kept until the head is a finality past them
//!   .. -- o -- c -- d -- e       canonical
//! ```
//! They are remembered in the meta store before the head change that reverts them returns, and so before a node
//! makes its new head durable. What is missing below one is tolerated: a power cut may have taken what no flush had
//! covered. Each reverted tipset is remembered, not only tips, so that one lost header costs no other its root.
//!
//! Format of the cell, per tipset: height u64 LE | headers u64 LE | (length u8, CID in binary)*.

use std::sync::Arc;

use cid::Cid;
use parking_lot::Mutex;
use splitstore_domain::{Epoch, EpochSpan, HeadChange, Tipset, TipsetKey};
use splitstore_ports::{ErrorKind, MetaCell, MetaStore, PortError, Result};

/// Reverted tipsets that are remembered at most; beyond it the lowest are forgotten. With one reverted tipset in
/// each of Filecoin's 900 epochs of finality there is room.
pub(crate) const FORKS_MAX: usize = 1024;

/// The list, in the meta store.
pub(crate) struct Forks {
    meta: Arc<dyn MetaStore>,
    finality: EpochSpan,
    /// Held while the list is read and written back.
    changing: Mutex<()>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Fork {
    height: Epoch,
    key: TipsetKey,
}

impl Forks {
    pub(crate) fn new(meta: Arc<dyn MetaStore>, finality: u64) -> Self {
        Self { meta, finality: EpochSpan::new(finality), changing: Mutex::default() }
    }

    /// Remembers what this change reverts, durably.
    pub(crate) fn remember(&self, change: &HeadChange) -> Result<()> {
        if change.revert.is_empty() {
            return Ok(());
        }
        let _changing = self.changing.lock();
        let known = self.load()?;
        let reverted = |tipset: &Tipset| Fork { height: tipset.height, key: tipset.key.clone() };
        let mut forks: Vec<Fork> = known.iter().cloned().chain(change.revert.iter().map(reverted)).collect();
        let newest =
            change.apply.last().map(|head| head.height).or_else(|| forks.iter().map(|f| f.height).max());
        let oldest = newest.unwrap_or_default().back(self.finality);
        forks.retain(|fork| fork.height >= oldest);
        // The highest first: these stay when there are too many.
        forks.sort_unstable_by(|a, b| b.cmp(a));
        forks.dedup();
        forks.truncate(FORKS_MAX);
        if forks == known {
            return Ok(());
        }
        self.meta.set_many(&[(MetaCell::Forks, encode(&forks))])
    }

    /// The tipsets to keep beside a chain with this head, the highest first.
    pub(crate) fn beside(&self, head: Epoch) -> Result<Vec<TipsetKey>> {
        let oldest = head.back(self.finality);
        let forks = self.load()?.into_iter().filter(|fork| fork.height >= oldest);
        Ok(forks.map(|fork| fork.key).collect())
    }

    fn load(&self) -> Result<Vec<Fork>> {
        let Some(bytes) = self.meta.get(MetaCell::Forks)? else { return Ok(Vec::new()) };
        let damaged = || PortError::bare(ErrorKind::Corrupt, format!("read {}", MetaCell::Forks.name()));
        decode(&bytes).ok_or_else(damaged)
    }
}

fn encode(forks: &[Fork]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for Fork { height, key } in forks {
        bytes.extend_from_slice(&height.height().to_le_bytes());
        bytes.extend_from_slice(&(key.cids().len() as u64).to_le_bytes());
        for cid in key.cids() {
            let cid = cid.to_bytes();
            bytes.push(u8::try_from(cid.len()).expect("CIDs are at most 100 bytes"));
            bytes.extend_from_slice(&cid);
        }
    }
    bytes
}

fn decode(mut bytes: &[u8]) -> Option<Vec<Fork>> {
    let mut forks = Vec::new();
    while !bytes.is_empty() {
        let (height, rest) = bytes.split_first_chunk::<8>()?;
        let (headers, mut rest) = rest.split_first_chunk::<8>()?;
        let mut cids = Vec::new();
        for _ in 0..u64::from_le_bytes(*headers) {
            let (len, tail) = rest.split_first()?;
            let (cid, tail) = tail.split_at_checked(usize::from(*len))?;
            cids.push(Cid::try_from(cid).ok()?);
            rest = tail;
        }
        forks.push(Fork { height: Epoch::new(u64::from_le_bytes(*height)), key: TipsetKey::new(cids) });
        bytes = rest;
    }
    Some(forks)
}

#[cfg(test)]
mod tests {
    use splitstore_memory::MemoryMeta;

    use super::*;

    fn tipset(height: u64, salt: u8) -> Tipset {
        let digest = [[salt; 8], height.to_le_bytes()].concat();
        let multihash = cid::multihash::Multihash::wrap(0x1e, &digest).unwrap();
        let key = TipsetKey::new(vec![Cid::new_v1(0x71, multihash)]);
        Tipset { key, height: Epoch::new(height), timestamp: 0, parents: TipsetKey::default() }
    }

    fn reverting(revert: Vec<Tipset>, head: u64) -> HeadChange {
        HeadChange { revert, apply: vec![tipset(head, 0)] }
    }

    fn heights(forks: &Forks, head: u64) -> usize {
        forks.beside(Epoch::new(head)).unwrap().len()
    }

    #[test]
    fn what_is_reverted_is_remembered_once_and_over_restarts_until_it_is_older_than_finality() {
        let meta = Arc::new(MemoryMeta::new());
        let forks = Forks::new(meta.clone(), 10);
        forks.remember(&reverting(vec![tipset(21, 1), tipset(20, 1)], 21)).unwrap();
        forks.remember(&reverting(vec![tipset(21, 1)], 22)).unwrap();
        let forks = Forks::new(meta, 10);
        assert_eq!(forks.beside(Epoch::new(22)).unwrap(), [tipset(21, 1).key, tipset(20, 1).key]);
        assert_eq!((heights(&forks, 30), heights(&forks, 31), heights(&forks, 32)), (2, 1, 0));
        forks.remember(&reverting(vec![tipset(40, 2)], 41)).unwrap();
        assert_eq!(forks.load().unwrap().len(), 1, "the old ones are forgotten");
    }

    #[test]
    fn the_list_is_bounded_and_forgets_the_lowest_first() {
        let forks = Forks::new(Arc::new(MemoryMeta::new()), 1_000_000);
        let many = (0..FORKS_MAX as u64 + 10).map(|height| tipset(height, 3)).collect();
        forks.remember(&reverting(many, 1100)).unwrap();
        let kept = forks.beside(Epoch::new(1100)).unwrap();
        assert_eq!((kept.len(), kept.last()), (FORKS_MAX, Some(&tipset(10, 3).key)));
    }

    #[test]
    fn a_change_that_only_reverts_counts_from_what_it_reverts() {
        let forks = Forks::new(Arc::new(MemoryMeta::new()), 5);
        let revert = vec![tipset(9, 1), tipset(8, 1)];
        forks.remember(&HeadChange { revert, apply: Vec::new() }).unwrap();
        assert_eq!(heights(&forks, 7), 2);
    }

    #[test]
    fn a_cut_list_is_damage() {
        let bytes = encode(&[Fork { height: Epoch::new(7), key: tipset(7, 1).key }]);
        assert!((1..bytes.len()).all(|len| decode(&bytes[..len]).is_none()));
        assert_eq!(decode(&bytes).unwrap().len(), 1);
    }
}
