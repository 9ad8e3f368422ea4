//! Disk sets under a rig whose files are in memory: each set gets a real folder.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use splitstore_marksets::DiskSets;
use splitstore_ports::{MarkSet, MarkSetFactory, Result, SetHint, VisitSet, VisitSetFactory};

/// Puts every set of a factory into a fresh folder below one.
pub(crate) struct InFolder {
    inner: DiskSets,
    folder: PathBuf,
    made: AtomicU64,
}

impl InFolder {
    pub(crate) fn new(inner: DiskSets, folder: &Path) -> Self {
        Self { inner, folder: folder.into(), made: AtomicU64::new(0) }
    }

    fn fresh(&self) -> PathBuf {
        let folder = self.folder.join(self.made.fetch_add(1, Ordering::Relaxed).to_string());
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }
}

impl VisitSetFactory for InFolder {
    fn name(&self) -> &'static str {
        VisitSetFactory::name(&self.inner)
    }

    fn create(&self, hint: &SetHint<'_>) -> Result<Arc<dyn VisitSet>> {
        let folder = self.fresh();
        VisitSetFactory::create(&self.inner, &SetHint { folder: &folder, ..*hint })
    }

    fn recover_visits(&self, sealed: &mut dyn Read, hint: &SetHint<'_>) -> Result<Arc<dyn VisitSet>> {
        let folder = self.fresh();
        self.inner.recover_visits(sealed, &SetHint { folder: &folder, ..*hint })
    }
}

impl MarkSetFactory for InFolder {
    fn name(&self) -> &'static str {
        MarkSetFactory::name(&self.inner)
    }

    fn create(&self, hint: &SetHint<'_>) -> Result<Arc<dyn MarkSet>> {
        let folder = self.fresh();
        MarkSetFactory::create(&self.inner, &SetHint { folder: &folder, ..*hint })
    }

    fn recover(&self, sealed: &mut dyn Read, hint: &SetHint<'_>) -> Result<Arc<dyn MarkSet>> {
        let folder = self.fresh();
        self.inner.recover(sealed, &SetHint { folder: &folder, ..*hint })
    }
}
