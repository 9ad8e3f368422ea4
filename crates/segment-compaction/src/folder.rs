//! A folder of segments: what lies in it, and what a crash left.
//!
//! ```text
//!   8-2.tsm  8-2.tombstone     a segment and its sidecar
//!   7-1.tombstone              its segment is gone: an orphan, removed at open. A later segment of that name
//!                              would take the deletions for its own
//!   9-1.tsm.3.tmp              never committed: removed at open
//! ```
//! One process has a folder at a time; that is for the caller to see to.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::error::{CompactError, FormatError};
use crate::files::{FileEntry, FileSystem};
use crate::format::{Room, SegmentFormat};
use crate::generation::{Generation, SegmentId};
use crate::listing::Listing;
use crate::naming::{FileKind, Naming, sidecar_name};
use crate::plan::{Held, Hold};
use crate::segment::Segment;
use crate::stats::{Fill, SegmentStats, Tombstones};

/// A folder of segments.
pub struct SegmentFolder {
    files: Arc<dyn FileSystem>,
    path: Arc<Path>,
    naming: Naming,
    /// Statistics by segment, with the sizes of its files that they were read from.
    known: Mutex<BTreeMap<SegmentId, (Vec<FileEntry>, SegmentStats)>>,
    /// The newest generation that was given away.
    newest: Mutex<Generation>,
}

/// What a folder holds.
#[derive(Debug)]
pub struct Survey {
    /// All segments.
    pub listing: Listing,
    /// Segments whose index could not be read. They are in the listing, so that nothing is merged across them.
    pub damaged: Vec<(SegmentId, FormatError)>,
}

impl Survey {
    /// The generations of damaged segments, as the planner takes it.
    pub fn held(&self) -> Held {
        self.damaged.iter().map(|(id, _)| (id.generation, Hold::Quarantined)).collect()
    }
}

impl SegmentFolder {
    /// A folder to look at: nothing in it is touched.
    pub fn look(files: Arc<dyn FileSystem>, path: &Path, naming: Naming) -> Self {
        let (known, newest) = (Mutex::default(), Mutex::default());
        Self { files, path: Arc::from(path), naming, known, newest }
    }

    /// Opens a folder; files that a crash left are removed, and named.
    pub fn open(
        files: Arc<dyn FileSystem>,
        path: &Path,
        naming: Naming,
    ) -> Result<(Self, Vec<String>), CompactError> {
        let folder = Self::look(files, path, naming);
        let debris = folder.debris()?;
        for name in &debris {
            folder.remove(name)?;
        }
        if !debris.is_empty() {
            folder.sync()?;
        }
        Ok((folder, debris))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file system that it lies in.
    pub fn files(&self) -> &Arc<dyn FileSystem> {
        &self.files
    }

    /// How its files are named.
    pub fn naming(&self) -> &Naming {
        &self.naming
    }

    /// Its segments, oldest first.
    pub fn segments(&self) -> Result<Vec<Segment>, CompactError> {
        let mut segments: Vec<_> =
            self.list()?.into_iter().filter_map(|file| self.segment(file.name)).collect();
        segments.sort_by_key(|segment| segment.id);
        match segments.windows(2).find(|pair| pair[0].id == pair[1].id) {
            Some(twins) => Err(CompactError::Twins { first: twins[0].path(), second: twins[1].path() }),
            None => Ok(segments),
        }
    }

    /// Its segments with what their indexes say. An index is read once, and again when one of its files changed.
    pub fn survey<F: SegmentFormat>(&self, format: &F) -> Result<Survey, CompactError> {
        let files = self.list()?;
        let mut damaged = Vec::new();
        let mut all = Vec::new();
        for segment in self.segments()? {
            let stats = match self.stats_of(format, &segment, &files) {
                Ok(stats) => stats,
                // A compaction that ended meanwhile removed it.
                Err(_) if self.is_gone(&segment) => continue,
                Err(error) => {
                    damaged.push((segment.id, error));
                    unreadable(&segment, &files)
                }
            };
            all.push((segment.id, stats));
        }
        self.known.lock().retain(|id, _| all.iter().any(|(other, _)| id == other));
        let listing = Listing::new(all).map_err(|twice| CompactError::Stale(twice.to_string()))?;
        Ok(Survey { listing, damaged })
    }

    /// What the indexes of these segments say; read again only if a file changed.
    pub(crate) fn stats<F: SegmentFormat>(
        &self,
        format: &F,
        segments: &[Segment],
    ) -> Result<Vec<SegmentStats>, CompactError> {
        let files = self.list()?;
        let failed = |segment: &Segment| {
            let id = segment.id;
            move |error| CompactError::format(format!("look at segment {id}"), error)
        };
        segments
            .iter()
            .map(|segment| self.stats_of(format, segment, &files).map_err(failed(segment)))
            .collect()
    }

    fn is_gone(&self, segment: &Segment) -> bool {
        matches!(self.files.open(&segment.path()), Ok(None))
    }

    fn stats_of<F: SegmentFormat>(
        &self,
        format: &F,
        segment: &Segment,
        files: &[FileEntry],
    ) -> Result<SegmentStats, FormatError> {
        let own = self.files_of(segment, files);
        if let Some((from, stats)) = self.known.lock().get(&segment.id)
            && *from == own
        {
            return Ok(*stats);
        }
        let stats = format.stats(segment)?;
        self.known.lock().insert(segment.id, (own, stats));
        Ok(stats)
    }

    fn files_of(&self, segment: &Segment, files: &[FileEntry]) -> Vec<FileEntry> {
        let sidecars = self.naming.sidecars.iter().map(|extension| sidecar_name(segment.name(), extension));
        let names: Vec<_> = sidecars.chain([segment.name().to_string()]).collect();
        files.iter().filter(|file| names.contains(&file.name)).cloned().collect()
    }

    /// A generation that nothing has: newer than all that is there and all that was given away.
    pub fn next_generation(&self) -> Result<Generation, CompactError> {
        let there = self.segments()?.last().map(|segment| segment.id.generation).unwrap_or_default();
        let mut newest = self.newest.lock();
        let after = there.max(*newest);
        *newest = after.next().ok_or(CompactError::Exhausted(SegmentId::new(after.number(), 1)))?;
        Ok(*newest)
    }

    fn debris(&self) -> Result<Vec<String>, CompactError> {
        let names: Vec<_> = self.list()?.into_iter().map(|file| file.name).collect();
        let there: Vec<_> = names.iter().map(|name| self.naming.kind(name)).collect();
        // Where a segment was set aside under another name, its deletions wait for it to come back.
        let stem = |name: &str| name.split_once('.').map(|(stem, _)| stem.to_string());
        let kept: Vec<_> = names
            .iter()
            .zip(&there)
            .filter(|(_, kind)| matches!(kind, FileKind::Segment(_) | FileKind::Foreign))
            .filter_map(|(name, _)| stem(name))
            .collect();
        let orphan = |name: &str, kind: &FileKind| match kind {
            FileKind::Sidecar(id, _) => {
                !there.contains(&FileKind::Segment(*id))
                    && !stem(name).is_some_and(|stem| kept.contains(&stem))
            }
            kind => *kind == FileKind::Temporary,
        };
        let all = names.iter().zip(&there).filter(|(name, kind)| orphan(name, kind));
        Ok(all.map(|(name, _)| name.clone()).collect())
    }

    fn segment(&self, name: String) -> Option<Segment> {
        let FileKind::Segment(id) = self.naming.kind(&name) else { return None };
        Some(Segment::new(id, Arc::clone(&self.path), name, Arc::clone(&self.files)))
    }

    pub(crate) fn list(&self) -> Result<Vec<FileEntry>, CompactError> {
        self.files
            .list(&self.path)
            .map_err(|error| CompactError::io(format!("list {}", self.path.display()), error))
    }

    pub(crate) fn remove(&self, name: &str) -> Result<(), CompactError> {
        let path = self.path.join(name);
        self.files
            .remove(&path)
            .map_err(|error| CompactError::io(format!("remove {}", path.display()), error))
    }

    pub(crate) fn sync(&self) -> Result<(), CompactError> {
        let synced = self.files.sync_dir(&self.path);
        synced.map_err(|error| CompactError::io(format!("sync the names in {}", self.path.display()), error))
    }
}

fn unreadable(segment: &Segment, files: &[FileEntry]) -> SegmentStats {
    let bytes = files.iter().find(|file| file.name == segment.name()).map_or(0, |file| file.bytes);
    SegmentStats { bytes, fill: Fill::default(), tombstones: Tombstones::None, room: Room::Open }
}
