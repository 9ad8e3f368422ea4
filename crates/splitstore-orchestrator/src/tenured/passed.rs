//! What a walk of the chain passes on its way down, below its run's boundary.

use std::sync::Arc;

use cid::Cid;
use splitstore_domain::{BlockKey, Epoch, HeaderView};

use super::{Tenured, Top};

/// Headers that are held at most, about 90 bytes each: of a longer chain the lowest, the next runs add the others.
const MOST: usize = 1 << 20;

/// What was passed.
pub(crate) struct Passed {
    /// What was final before.
    pub(super) tenured: Option<Arc<Tenured>>,
    /// Headers from here up are not taken.
    below: Epoch,
    most: usize,
    pub(super) headers: Vec<Header>,
    /// Of height 0.
    pub(super) genesis: Vec<Cid>,
    /// What genesis names as its parents.
    pub(super) leaves: Vec<BlockKey>,
    /// Final headers that were met, and how many of them at the greatest height there is of them.
    met: u64,
    met_at_top: u64,
    ends: Ends,
    taking: Taking,
}

/// One header, and the object of its parents' tipset key.
pub(super) struct Header {
    height: Epoch,
    pub(super) key: BlockKey,
    pub(super) object: Option<BlockKey>,
}

/// Where a walk ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    AtGenesis,
    /// Above it, which is still to be walked.
    Above,
    /// Above it, which has been walked.
    Done,
}

/// What a walk has met of what was final before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    Nothing,
    /// All headers of its highest tipset, and so all that is below.
    All,
    /// Some of it: others are no part of the chain any more.
    Some,
}

/// Whether headers are taken, and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taking {
    All,
    None,
}

impl Passed {
    /// Nothing yet, of a run with this boundary.
    pub(crate) fn new(tenured: Option<Arc<Tenured>>, boundary: Epoch) -> Self {
        Self::bounded(tenured, boundary, MOST)
    }

    fn bounded(tenured: Option<Arc<Tenured>>, boundary: Epoch, most: usize) -> Self {
        Self {
            tenured,
            below: boundary,
            most,
            headers: Vec::new(),
            genesis: Vec::new(),
            leaves: Vec::new(),
            met: 0,
            met_at_top: 0,
            ends: Ends::AtGenesis,
            taking: Taking::All,
        }
    }

    /// Whether a header is final already. Asked once for each that the walk comes to. What reverted tipsets lead to
    /// counts as no part of the chain: it may be what the chain has left.
    pub(crate) fn is_final(&mut self, key: &BlockKey, height: Epoch) -> bool {
        let Some(tenured) = self.tenured.as_ref().filter(|tenured| tenured.has_header(key)) else {
            return false;
        };
        if self.taking == Taking::All {
            self.met += 1;
            self.met_at_top += u64::from(tenured.top.height == height);
        }
        true
    }

    /// The walk ends at a header that is final.
    pub(crate) fn end(&mut self) {
        if self.ends == Ends::AtGenesis {
            self.ends = Ends::Above;
        }
    }

    /// What it has met of what was final before.
    pub(super) fn met(&self) -> Met {
        match &self.tenured {
            Some(tenured) if self.met_at_top == tenured.top.headers => Met::All,
            Some(_) if self.met > 0 => Met::Some,
            _ => Met::Nothing,
        }
    }

    /// The highest tipset of what was passed.
    pub(super) fn top(&self) -> Option<Top> {
        let height = self.headers.iter().map(|header| header.height).max()?;
        let headers = self.headers.iter().filter(|header| header.height == height).count() as u64;
        Some(Top { height, headers })
    }

    /// Takes note of a header that was not final, and the object of its parents' tipset key.
    pub(crate) fn pass(&mut self, cid: &Cid, header: &HeaderView, object: Option<&Cid>) {
        if self.taking == Taking::None || header.height >= self.below {
            return;
        }
        if header.height == Epoch::GENESIS {
            self.genesis.push(*cid);
            self.leaves.extend(header.parents.cids().iter().map(BlockKey::from));
        }
        let key = BlockKey::from(cid);
        self.headers.push(Header { height: header.height, key, object: object.map(BlockKey::from) });
        if self.headers.len() > self.most {
            self.keep_the_lower_half();
        }
    }

    /// The chain has been walked: what comes now may lack its parents.
    pub(crate) const fn chain_ends(&mut self) {
        self.taking = Taking::None;
    }

    /// Genesis, once, if the walk ended before it.
    pub(crate) fn genesis_left(&mut self) -> Option<Vec<Cid>> {
        if self.ends != Ends::Above {
            return None;
        }
        self.ends = Ends::Done;
        self.tenured.as_ref().map(|tenured| tenured.genesis().to_vec())
    }

    /// A header's parents are lower than it is: what is below any height is closed.
    fn keep_the_lower_half(&mut self) {
        let mut heights: Vec<Epoch> = self.headers.iter().map(|header| header.height).collect();
        let half = heights.len() / 2;
        self.below = *heights.select_nth_unstable(half).1;
        let below = self.below;
        self.headers.retain(|header| header.height < below);
    }
}

#[cfg(test)]
mod tests {
    use splitstore_domain::TipsetKey;
    use splitstore_domain::object::DAG_CBOR;

    use super::*;

    fn cid(number: u64) -> Cid {
        let digest = splitstore_domain::digest::blake2b_256(&number.to_le_bytes());
        let key = BlockKey::from_bytes(&[[0xa0, 0xe4, 0x02, 0x20].as_slice(), &digest].concat()).unwrap();
        key.to_cid(DAG_CBOR)
    }

    fn header(height: u64) -> HeaderView {
        let parents = TipsetKey::new(vec![cid(height.wrapping_sub(1))]);
        let (state, messages, receipts) = (cid(1 << 32), cid(2 << 32), cid(3 << 32));
        HeaderView { height: Epoch::new(height), parents, state, messages, receipts, timestamp: height }
    }

    #[test]
    fn what_is_held_is_bounded_and_is_all_below_a_height() {
        let mut passed = Passed::bounded(None, Epoch::new(1000), 64);
        for height in (0..1200).rev() {
            passed.pass(&cid(height), &header(height), None);
        }
        let mut heights: Vec<u64> = passed.headers.iter().map(|header| header.height.height()).collect();
        heights.sort_unstable();
        assert!(heights.len() >= 32 && heights.len() <= 64, "{}", heights.len());
        assert!(heights.iter().copied().eq(0..heights.len() as u64));
        assert_eq!((passed.genesis.len(), passed.leaves.len()), (1, 1));
    }

    #[test]
    fn what_comes_behind_the_chain_is_not_taken() {
        let mut passed = Passed::new(None, Epoch::new(10));
        passed.pass(&cid(3), &header(3), None);
        passed.chain_ends();
        passed.pass(&cid(2), &header(2), None);
        assert_eq!(passed.headers.len(), 1);
    }
}
