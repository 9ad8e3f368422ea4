//! A folder of lines in memory with an engine over it, and what readers of it see.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use segment_compaction::{
    BackoffSettings, Cancel, CompactError, Compactor, Engine, Event, ManualClock, MemoryFiles, Observer,
    Planner, PlannerSettings, Report, SegmentFolder, SegmentFormat, Throttle, Tools,
};

use crate::lines::{self, Lines, Merge};

pub(crate) const FOLDER: &str = "folder";

/// What readers see: the value of each key.
pub(crate) type Content = BTreeMap<String, String>;

/// Events as text.
#[derive(Default)]
pub(crate) struct Heard(pub(crate) Mutex<Vec<String>>);

impl Observer for Heard {
    fn on_event(&self, event: &Event) {
        self.0.lock().push(event.to_string());
    }
}

pub(crate) struct Yard {
    pub(crate) files: MemoryFiles,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) heard: Arc<Heard>,
    pub(crate) engine: Engine<Lines>,
    pub(crate) debris: Vec<String>,
}

/// Small numbers, so that little data makes many levels.
pub(crate) fn small() -> PlannerSettings {
    PlannerSettings {
        generations_level_one: 3,
        generations_others: 2,
        segment_bytes_max: 200,
        ..PlannerSettings::default()
    }
}

impl Yard {
    pub(crate) fn open(files: &MemoryFiles, settings: PlannerSettings) -> Result<Self, CompactError> {
        Self::open_at(files, settings, Arc::new(ManualClock::new()))
    }

    pub(crate) fn open_at(
        files: &MemoryFiles,
        settings: PlannerSettings,
        clock: Arc<ManualClock>,
    ) -> Result<Self, CompactError> {
        let format = Lines { lines_max: 25 };
        let (folder, debris) =
            SegmentFolder::open(Arc::new(files.clone()), Path::new(FOLDER), format.naming())?;
        let heard = Arc::new(Heard::default());
        let tools = Tools { clock: clock.clone(), observer: heard.clone(), throttle: Throttle::off() };
        let compactor = Compactor::new(Arc::new(format), folder, tools, settings.segment_bytes_max);
        let planner = Planner::new(settings).unwrap();
        let engine = Engine::new(planner, compactor, BackoffSettings::default(), 1);
        Ok(Self { files: files.clone(), clock, heard, engine, debris })
    }

    /// A new one on an empty disk.
    pub(crate) fn new(settings: PlannerSettings) -> Self {
        Self::open(&MemoryFiles::new(), settings).unwrap()
    }

    pub(crate) fn snapshot(&self, entries: &[(&str, &str)]) -> Result<Report, CompactError> {
        let entries = entries.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string()));
        self.engine.snapshot(Merge::new(entries.collect(), &Cancel::never()))
    }

    pub(crate) fn content(&self) -> Content {
        lines::content(&self.engine.compactor().folder().segments().unwrap()).unwrap()
    }

    /// The names in the folder.
    pub(crate) fn names(&self) -> Vec<String> {
        use segment_compaction::FileSystem as _;
        self.files.list(Path::new(FOLDER)).unwrap().into_iter().map(|file| short(&file.name)).collect()
    }
}

/// `000000003-000000002.lines` as `3-2.lines`.
fn short(name: &str) -> String {
    let parts: Vec<_> = name.splitn(2, '-').map(|part| part.trim_start_matches('0')).collect();
    parts.join("-")
}
