//! What a walk met after the seal, and what of it is whole.
//!
//! ```text
//!   put p -> x -> y      y is purged already: x, if it came back, would promise what is gone. It does not
//!         -> g -> h      g and h are there: they come back with p
//! ```
//! A purge goes in the order of keys, so children may be gone before their parents. What is unmarked is absent for
//! readers; a put brings back what is left below it, but nothing with a hole below: a node would be told that it is
//! there, trust that, and never bring the rest. What is put or found itself comes back in any case.

use std::collections::{HashMap, HashSet};

use cid::Cid;
use splitstore_domain::links::{LinkError, scan_links};
use splitstore_domain::object::{DAG_CBOR, RAW, identity_data};
use splitstore_domain::{BlockKey, ObjectKind};
use splitstore_ports::{Reading, Visit};

use crate::error::Result;
use crate::tiers::Tiers;
use crate::walk::{Missing, Sink};

/// Blocks that were read, and blocks that were not there.
#[derive(Default)]
pub(crate) struct Met {
    /// By child.
    parents: HashMap<BlockKey, Vec<BlockKey>>,
    holes: HashSet<BlockKey>,
}

impl Met {
    /// The keys among these visits that are absent, or have something absent below them. `put` are those that are
    /// about to be there.
    pub(crate) fn not_whole(
        mut self,
        visits: &[Visit],
        put: &HashSet<BlockKey>,
        tiers: &Tiers,
    ) -> Result<HashSet<BlockKey>> {
        // The walk marks leaves without a look at them.
        for leaf in visits.iter().filter(|visit| visit.reading == Reading::Opaque) {
            if !put.contains(&leaf.key) && !tiers.holds(&leaf.key.to_cid(RAW))? {
                self.holes.insert(leaf.key.clone());
            }
        }
        let mut open: Vec<BlockKey> = self.holes.into_iter().filter(|hole| !put.contains(hole)).collect();
        let mut found: HashSet<BlockKey> = open.iter().cloned().collect();
        while let Some(child) = open.pop() {
            for parent in self.parents.get(&child).into_iter().flatten() {
                if found.insert(parent.clone()) {
                    open.push(parent.clone());
                }
            }
        }
        Ok(found)
    }

    /// Whether the walk found this block absent.
    pub(crate) fn lacks(&self, key: &BlockKey) -> bool {
        self.holes.contains(key)
    }

    /// Links in the data of `parent`, those inside identity CIDs included. What cannot be scanned has none.
    fn read(&mut self, parent: &BlockKey, data: &[u8]) {
        let mut inline = Vec::new();
        let scanned = scan_links(data, |link| match link.kind() {
            ObjectKind::Dag | ObjectKind::Opaque => {
                self.parents.entry(BlockKey::from(&link.cid())).or_default().push(parent.clone());
            }
            ObjectKind::Identity => inline.push(link.cid()),
            ObjectKind::Unitary => {}
        });
        if scanned.is_err() {
            return;
        }
        for cid in inline.iter().filter(|cid| cid.codec() == DAG_CBOR) {
            if let Some(data) = identity_data(cid) {
                self.read(parent, data);
            }
        }
    }
}

impl Sink for Met {
    fn block(&mut self, cid: &Cid, data: &[u8]) -> Result<()> {
        self.read(&BlockKey::from(cid), data);
        Ok(())
    }

    fn missing(&mut self, missing: &Missing) -> Result<()> {
        // It may be written yet.
        self.holes.insert(BlockKey::from(&missing.cid));
        Ok(())
    }

    fn malformed(&mut self, _cid: Cid, _source: LinkError) -> Result<()> {
        // Anybody can put such a block. Nobody can follow links in it, so it is kept as a leaf.
        Ok(())
    }
}
