//! The engines that settings name, opened.

use std::path::Path;
use std::sync::Arc;

use splitstore_files::OsFiles;
use splitstore_marksets::{BloomSets, DiskSets, ExactSets, RoaringSets};
use splitstore_ports::{ColdStore, FileSystem, HotStore, MetaStore};

use super::error::{FolderError, Result};
use super::parts::Parts;
use super::place::{COLD, COLD_FILE, HOT, META};
use super::settings::{ColdEngine, FolderSettings, MarksKind};
use crate::MarkSets;

/// Tiers and metadata of one store.
pub(super) struct Engines {
    pub(super) hot: Arc<dyn HotStore>,
    pub(super) cold: Arc<dyn ColdStore>,
    pub(super) meta: Arc<dyn MetaStore>,
}

impl Engines {
    /// Opens them, making what is not there. Hot is the last: it drops what stands behind damage in its log, and whoever it tells is there
    /// only if the others open.
    pub(super) fn open(path: &Path, settings: &FolderSettings, parts: &dyn Parts) -> Result<Self> {
        let port = FolderError::port(path);
        let ColdEngine::Redb = settings.cold;
        OsFiles::new().create_dir(&path.join(COLD)).map_err(&port)?;
        let cold = parts.cold(&path.join(COLD).join(COLD_FILE)).map_err(&port)?;
        let meta = parts.meta(&path.join(META)).map_err(&port)?;
        let hot = parts.hot(settings.hot, &path.join(HOT)).map_err(&port)?;
        let hot = hot.ok_or_else(|| FolderError::NotBuilt { path: path.to_owned(), engine: settings.hot })?;
        Ok(Self { hot, cold, meta })
    }
}

/// The mark sets of a kind.
pub(super) fn mark_sets(kind: MarksKind) -> MarkSets {
    // A set that is asked first pays where the exact one lives on disk.
    let visits = Arc::new(DiskSets::default());
    match kind {
        MarksKind::Exact => MarkSets::Exact(Arc::new(ExactSets)),
        MarksKind::Disk => MarkSets::Exact(visits),
        MarksKind::Roaring => MarkSets::Split { visits, marks: Arc::new(RoaringSets) },
        MarksKind::Bloom => MarkSets::Split { visits, marks: Arc::new(BloomSets) },
    }
}
