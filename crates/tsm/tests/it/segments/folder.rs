//! A folder of TSM files in memory: an engine over it, a cache before it, and what a reader of all of it sees.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use segment_compaction::{
    BackoffSettings, CompactError, Compactor, Engine, ManualClock, MemoryFiles, NoObserver, Planner,
    PlannerSettings, ReadAt, Report, Segment, SegmentFolder, SegmentFormat, Throttle, Tools,
};
use tsm::{
    BlockType, Cache, Column, Decoder, IndexSeal, Limits, StatsMode, TimeRange, Tombstone, Tombstones,
    TsmFormat, TsmOptions, TsmReader, Values, tombstone,
};

pub(crate) const FOLDER: &str = "shard";

/// Content: key and time to a value as text.
pub(crate) type Content = BTreeMap<(String, i64), String>;

pub(crate) struct Folder {
    pub(crate) files: MemoryFiles,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) engine: Engine<TsmFormat>,
    pub(crate) cache: Cache,
}

pub(crate) fn format() -> TsmFormat {
    TsmFormat::new(TsmOptions {
        points_per_block: 5,
        stats: StatsMode::Keep,
        seal: IndexSeal::Crc,
        index_memory: 200,
        ..TsmOptions::default()
    })
}

/// Small numbers, so that little data makes many levels.
pub(crate) fn settings() -> PlannerSettings {
    PlannerSettings {
        generations_level_one: 3,
        generations_others: 2,
        segment_bytes_max: 1500,
        ..PlannerSettings::default()
    }
}

impl Folder {
    pub(crate) fn open(files: &MemoryFiles, clock: Arc<ManualClock>) -> Result<Self, CompactError> {
        let format = format();
        let (folder, _) = SegmentFolder::open(Arc::new(files.clone()), Path::new(FOLDER), format.naming())?;
        let tools = Tools { clock: clock.clone(), observer: Arc::new(NoObserver), throttle: Throttle::off() };
        let compactor = Compactor::new(Arc::new(format), folder, tools, settings().segment_bytes_max);
        let planner = Planner::new(settings()).unwrap();
        let engine = Engine::new(planner, compactor, BackoffSettings::default(), 1);
        Ok(Self { files: files.clone(), clock, engine, cache: Cache::new(1 << 30) })
    }

    pub(crate) fn segments(&self) -> Vec<Segment> {
        self.engine.compactor().folder().segments().unwrap()
    }

    /// All of the cache into new files; a failure gives the points back to it.
    pub(crate) fn snapshot(&self, splits: usize) -> Result<Vec<Report>, CompactError> {
        let snapshot = self.cache.snapshot().unwrap();
        let reports = snapshot.splits(splits).into_iter().map(|split| self.engine.snapshot(split));
        let reports = reports.collect::<Result<_, _>>()?;
        snapshot.clear();
        Ok(reports)
    }

    /// From the cache and from every file.
    pub(crate) fn delete(&self, key: &str, times: TimeRange) -> tsm::Result<()> {
        self.cache.delete(key.as_bytes(), times);
        self.segments().iter().try_for_each(|segment| delete(segment, key, times))
    }

    /// What a reader of files and cache sees.
    pub(crate) fn content(&self, keys: &[String]) -> Content {
        let mut content = content(&self.segments());
        content.extend(self.cached(keys));
        content
    }

    /// What the cache holds.
    pub(crate) fn cached(&self, keys: &[String]) -> Content {
        let mut content = Content::new();
        for key in keys {
            if let Some(column) = self.cache.read(key.as_bytes(), TimeRange::ALL) {
                overlay(&mut content, key, &column);
            }
        }
        content
    }
}

/// What files hold, the newest last: no merge of the library takes part.
pub(crate) fn content(segments: &[Segment]) -> Content {
    let mut all = Content::new();
    for segment in segments {
        let reader =
            TsmReader::new(Arc::new(read(&*segment.open().unwrap())), segment.name(), Limits::default());
        let (reader, deleted) = (reader.unwrap(), tombstones(segment));
        let (mut cursor, mut buffer, mut column) =
            (reader.cursor(), Vec::new(), Column::empty(BlockType::Float));
        while cursor.advance().unwrap() {
            for entry in cursor.entries() {
                let block =
                    reader.read_block(cursor.key(), cursor.kind().unwrap(), entry, &mut buffer).unwrap();
                Decoder::default().decode(&block.parse().unwrap(), &mut column).unwrap();
                for range in deleted.ranges(cursor.key()) {
                    column.remove_times(range);
                }
                overlay(&mut all, std::str::from_utf8(cursor.key()).unwrap(), &column);
            }
        }
    }
    all
}

fn overlay(content: &mut Content, key: &str, column: &Column) {
    for (index, time) in column.times().iter().enumerate() {
        let value = match column.values() {
            Values::Float(values) => format!("{:x}", values[index].to_bits()),
            Values::Integer(values) => values[index].to_string(),
            Values::Boolean(values) => values[index].to_string(),
            Values::String(values) => String::from_utf8(values.get(index).to_vec()).unwrap(),
            Values::Unsigned(values) => values[index].to_string(),
        };
        content.insert((key.to_string(), *time), value);
    }
}

fn read(file: &dyn ReadAt) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read_exact_at(&mut bytes, 0).unwrap();
    bytes
}

fn tombstones(segment: &Segment) -> Tombstones {
    let file = tombstone::load_in(&**segment.files(), &segment.path(), Limits::default()).unwrap();
    Tombstones::of(&file.map_or_else(Vec::new, |file| file.entries), Path::new("t")).unwrap()
}

/// Adds a tombstone.
pub(crate) fn delete(segment: &Segment, key: &str, times: TimeRange) -> tsm::Result<()> {
    let tombstone = Tombstone::new(key.as_bytes(), times);
    tombstone::add_in(&**segment.files(), &segment.path(), &[tombstone], Limits::default())
}
