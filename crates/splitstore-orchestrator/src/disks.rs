//! Which disk must have room: the folders of the tiers may be links to others than the store's own.
//!
//! ```text
//!   <store>/hot    what a rewrite and a full reclaim take
//!   <store>/cold   what is copied
//!   <store>        marks, candidates; and of all three none may run full (`Options::pressure`)
//! ```

use splitstore_domain::ByteCount;
use splitstore_ports::{Maintenance, Result};

use crate::store::Inner;

impl Inner {
    /// Free bytes where hot is; `None` if nobody can tell.
    pub(crate) fn free_for_hot(&self) -> Result<Option<ByteCount>> {
        self.free_for(self.tiers.hot.maintenance())
    }

    /// Free bytes where cold is.
    pub(crate) fn free_for_cold(&self) -> Result<Option<ByteCount>> {
        self.free_for(self.tiers.cold.maintenance())
    }

    /// Free bytes on the fullest of the disks that the store is on, as far as that can be told.
    pub(crate) fn free_anywhere(&self) -> Result<Option<ByteCount>> {
        let tiers = [self.tiers.hot.maintenance(), self.tiers.cold.maintenance()];
        let mut least = self.files.free_space(&self.options.folder)?;
        for folder in tiers.into_iter().flatten().filter_map(Maintenance::folder) {
            least = least.into_iter().chain(self.files.free_space(folder)?).min();
        }
        Ok(least)
    }

    /// A tier that does not say where it is, is on the store's own disk.
    fn free_for(&self, tier: Option<&dyn Maintenance>) -> Result<Option<ByteCount>> {
        self.files.free_space(tier.and_then(Maintenance::folder).unwrap_or(&self.options.folder))
    }
}
