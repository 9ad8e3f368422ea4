//! A folder in memory that clauses write into and merge in.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::Sample;
use crate::clock::ManualClock;
use crate::compactor::{Compactor, Report, Tools};
use crate::error::{CompactError, FormatError};
use crate::folder::SegmentFolder;
use crate::format::{MergeMode, SegmentFormat, SegmentWriter};
use crate::generation::{Level, SegmentId};
use crate::interrupt::Cancel;
use crate::lock::GroupLock;
use crate::memory::MemoryFiles;
use crate::observer::NoObserver;
use crate::output::Output;
use crate::plan::{Group, Taken};
use crate::segment::Segment;
use crate::throttle::Throttle;

pub(super) type Content = BTreeMap<u16, u16>;

pub(super) const FOLDER: &str = "folder";

pub(super) struct Ground<'a, S: Sample> {
    pub(super) sample: &'a S,
    pub(super) files: MemoryFiles,
    pub(super) compactor: Compactor<S::Format>,
}

impl<'a, S: Sample> Ground<'a, S> {
    pub(super) fn new(sample: &'a S) -> Self {
        Self::with_limit(sample, u64::MAX)
    }

    pub(super) fn with_limit(sample: &'a S, segment_bytes_max: u64) -> Self {
        Self::over(sample, MemoryFiles::new(), segment_bytes_max)
    }

    pub(super) fn over(sample: &'a S, files: MemoryFiles, segment_bytes_max: u64) -> Self {
        let format = sample.format();
        let (folder, _) = SegmentFolder::open(Arc::new(files.clone()), Path::new(FOLDER), format.naming())
            .expect("open a folder in memory");
        let clock = Arc::new(ManualClock::new());
        let tools = Tools { clock, observer: Arc::new(NoObserver), throttle: Throttle::off() };
        let compactor = Compactor::new(Arc::new(format), folder, tools, segment_bytes_max);
        Self { sample, files, compactor }
    }

    /// Writes a segment of these entries; the bytes that its writer claimed at last.
    pub(super) fn segment(&self, id: SegmentId, entries: &[(u16, u16)]) -> u64 {
        let folder = self.compactor.folder();
        let name = folder.naming().segment(id);
        let output = Output::create(folder.files(), folder.path(), &name, &Throttle::off(), &Cancel::never());
        let mut writer = self.compactor.format().writer(output.expect("create")).expect("a writer");
        for (key, value) in entries {
            self.sample.write(&mut writer, *key, *value).expect("write an entry");
        }
        let claimed = writer.bytes();
        let mut synced = writer.finish().and_then(|output| Ok(output.sync()?)).expect("finish and sync");
        for (extension, sidecar) in &mut synced.sidecars {
            let name = crate::naming::sidecar_name(&name, extension);
            sidecar.commit(&folder.path().join(name)).expect("rename a sidecar");
        }
        synced.temporary.commit(&folder.path().join(name)).expect("rename");
        folder.sync().expect("sync the folder");
        claimed
    }

    /// Writes generation after generation, each with these entries.
    pub(super) fn generations(&self, all: &[&[(u16, u16)]]) {
        for (number, entries) in (1..).zip(all) {
            self.segment(SegmentId::new(number, 1), entries);
        }
    }

    pub(super) fn segments(&self) -> Vec<Segment> {
        self.compactor.folder().segments().expect("list")
    }

    pub(super) fn content(&self) -> Content {
        self.sample.content(&self.segments()).expect("read")
    }

    pub(super) fn compact(&self, mode: MergeMode) -> Result<Report, CompactError> {
        let all = self.segments();
        self.compact_these(&all, mode)
    }

    pub(super) fn compact_these(&self, these: &[Segment], mode: MergeMode) -> Result<Report, CompactError> {
        let segments: Vec<_> = these.iter().map(|segment| segment.id).collect();
        let generations = segments.chunk_by(|a, b| a.generation == b.generation).count();
        let group = Group { segments, generations, level: Level::ONE, bytes: 0, mode, reason: Taken::Forced };
        let lease = GroupLock::new().acquire(&group).expect("nothing else runs");
        self.compactor.compact(&group, &lease)
    }

    pub(super) fn names(&self) -> Vec<String> {
        let listed = self.compactor.folder().list().expect("list");
        listed.into_iter().map(|file| file.name).collect()
    }

    /// A merger of all there is, to be driven by hand.
    pub(super) fn merger(
        &self,
        cancel: &Cancel,
    ) -> Result<<S::Format as SegmentFormat>::Merger, FormatError> {
        self.compactor.format().merger(&self.segments(), MergeMode::Full, cancel)
    }
}
