//! Were the laws kept? The store's own audit, and beside it a plain list of everything that was ever put: under
//! the `universal` policy, which the demo runs, all of it must still be readable, and hash to its CID.

use std::collections::HashSet;

use anyhow::Result;
use splitstore::domain::{Audit, BlockKey, ObjectKind, digest};
use splitstore::folder::StoreFolder;
use splitstore::ports::BlockRead;
use splitstore::ports::cid::Cid;

/// Knows what must be there.
#[derive(Default)]
pub(super) struct Judge {
    expected: Vec<Cid>,
    seen: HashSet<BlockKey>,
    bytes: u64,
}

/// What it found.
pub(super) struct Verdict {
    pub(super) audit: Audit,
    /// Blocks read back, through the store as a node reads.
    pub(super) read: u64,
    /// Blocks that were put and are not there, or not as they were put.
    pub(super) lost: Vec<Cid>,
}

impl Verdict {
    pub(super) fn is_clean(&self) -> bool {
        self.audit.is_clean() && self.lost.is_empty()
    }
}

impl Judge {
    /// These were put.
    pub(super) fn expect(&mut self, blocks: &[(Cid, Vec<u8>)]) {
        for (cid, data) in blocks.iter().filter(|(cid, _)| ObjectKind::of(cid).is_stored()) {
            if self.seen.insert(BlockKey::from(cid)) {
                self.expected.push(*cid);
                self.bytes += data.len() as u64;
            }
        }
    }

    /// Blocks that were put, each once.
    pub(super) fn blocks(&self) -> u64 {
        self.expected.len() as u64
    }

    /// Bytes of their data.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Looks at everything.
    pub(super) fn judge(&self, folder: &StoreFolder) -> Result<Verdict> {
        let audit = folder.store().audit()?;
        let mut lost = Vec::new();
        for cid in &self.expected {
            let mut sound = false;
            folder.store().view(cid, &mut |data| sound = digest::verify(cid, data).is_ok())?;
            if !sound {
                lost.push(*cid);
            }
        }
        Ok(Verdict { audit, read: self.blocks(), lost })
    }
}
