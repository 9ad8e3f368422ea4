//! What a run looked for and did not find, and went on without: counted, and the first of it named.

use cid::Cid;
use splitstore_domain::CompactionPlan;

/// A number of blocks, and the first of them.
#[derive(Default)]
pub(crate) struct Absent {
    pub(crate) count: u64,
    pub(crate) listed: Vec<Cid>,
}

impl Absent {
    pub(crate) fn add(&mut self, cid: Cid) {
        self.count += 1;
        if self.listed.len() < CompactionPlan::LISTED && !self.listed.contains(&cid) {
            self.listed.push(cid);
        }
    }
}
