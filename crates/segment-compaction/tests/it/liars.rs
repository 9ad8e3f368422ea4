//! Formats that do what they must not: what the compactor does not take their word for.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use segment_compaction::{
    BackoffSettings, Cancel, CompactError, Compactor, Engine, FileSystem as _, FormatError, GroupLock, Held,
    MemoryFiles, MergeMode, Naming, NoObserver, Output, Planner, Report, Room, Segment, SegmentFolder,
    SegmentFormat, SegmentStats, Throttle, Tools, Turn,
};

use crate::lines::{Lines, Merge, Sheet, content};
use crate::yard::{FOLDER, Yard, small};

#[derive(Clone, Copy)]
enum Lie {
    /// Merges give nothing.
    Forgets,
    /// What is written is damaged once it is synced.
    Damages,
    /// Segments that its limit ended have room, it says.
    HasRoom,
}

/// Lines, but for one lie.
struct Liar(Lie, MemoryFiles);

impl SegmentFormat for Liar {
    type Merger = Merge;
    type Writer = Sheet;

    fn naming(&self) -> Naming {
        HONEST.naming()
    }

    fn stats(&self, segment: &Segment) -> Result<SegmentStats, FormatError> {
        let stats = HONEST.stats(segment)?;
        let room = if matches!(self.0, Lie::HasRoom) { Room::Open } else { stats.room };
        Ok(SegmentStats { room, ..stats })
    }

    fn merger(&self, inputs: &[Segment], mode: MergeMode, cancel: &Cancel) -> Result<Merge, FormatError> {
        match self.0 {
            Lie::Forgets => Ok(Merge::new(BTreeMap::new(), cancel)),
            Lie::Damages | Lie::HasRoom => HONEST.merger(inputs, mode, cancel),
        }
    }

    fn writer(&self, output: Output) -> Result<Sheet, FormatError> {
        HONEST.writer(output)
    }

    fn verify(&self, segment: &Segment, cancel: &Cancel) -> Result<SegmentStats, FormatError> {
        if matches!(self.0, Lie::Damages) {
            let mut data = self.1.read(&segment.path()).unwrap();
            data[0] ^= 1;
            self.1.overwrite(&segment.path(), data);
        }
        HONEST.verify(segment, cancel)
    }
}

const HONEST: Lines = Lines { lines_max: 5 };

fn over(yard: &Yard, lie: Lie) -> Compactor<Liar> {
    let files = yard.files.clone();
    let (folder, _) =
        SegmentFolder::open(Arc::new(files.clone()), Path::new(FOLDER), HONEST.naming()).unwrap();
    let tools =
        Tools { clock: yard.clock.clone(), observer: Arc::new(NoObserver), throttle: Throttle::off() };
    Compactor::new(Arc::new(Liar(lie, files)), folder, tools, 1000)
}

fn compacted_by(lie: Lie) -> (Yard, Result<Report, CompactError>) {
    let yard = Yard::new(small());
    yard.snapshot(&[("a", "1"), ("b", "1")]).unwrap();
    yard.snapshot(&[("a", "2")]).unwrap();
    let compactor = over(&yard, lie);
    let listing = compactor.folder().survey(compactor.format()).unwrap().listing;
    let plan = Planner::default().plan(&listing, &Held::new(), segment_compaction::Ask::All);
    let lease = GroupLock::new().acquire(&plan.groups[0]).unwrap();
    let outcome = compactor.compact(&plan.groups[0], &lease);
    (yard, outcome)
}

#[test]
fn a_merge_that_forgets_everything_costs_nothing() {
    let (yard, outcome) = compacted_by(Lie::Forgets);
    assert_eq!(outcome.unwrap_err().segment(), Some(segment_compaction::SegmentId::new(1, 1)));
    assert_eq!(yard.names(), ["1-1.lines", "2-1.lines"]);
    assert_eq!(yard.content().len(), 2);
}

#[test]
fn an_output_that_does_not_verify_is_not_installed() {
    let (yard, outcome) = compacted_by(Lie::Damages);
    let error = outcome.unwrap_err();
    assert_eq!(error.to_string(), "verify new segment 2-2");
    assert_eq!(yard.names(), ["1-1.lines", "2-1.lines"]);
    assert_eq!(yard.content()["a"], "2");
}

#[test]
fn a_generation_that_never_takes_fewer_segments_is_not_rewritten_for_ever() {
    let yard = Yard::new(small());
    let keys: Vec<_> = (0..12).map(|number| format!("k{number:02}")).collect();
    let entries: Vec<_> = keys.iter().map(|key| (key.as_str(), "v")).collect();
    let engine =
        Engine::new(Planner::new(small()).unwrap(), over(&yard, Lie::HasRoom), BackoffSettings::default(), 1);
    let entries = entries.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect();
    engine.snapshot(Merge::new(entries, &Cancel::never())).unwrap();
    let day = std::time::Duration::from_secs(86_400);
    assert!(matches!(engine.turn(day).unwrap(), Turn::Did(_)));
    assert_eq!(yard.names(), ["1-4.lines", "1-5.lines", "1-6.lines"]);
    assert!(matches!(engine.turn(day).unwrap(), Turn::Idle));
}

/// Nothing is taken from a segment that lost its file while its compaction was planned.
#[test]
fn an_input_that_vanished_makes_the_plan_stale() {
    let yard = Yard::new(small());
    yard.snapshot(&[("a", "1")]).unwrap();
    yard.snapshot(&[("b", "1")]).unwrap();
    let engine = &yard.engine;
    let survey = engine.compactor().folder().survey(engine.compactor().format()).unwrap();
    let plan = engine.planner().plan(&survey.listing, &Held::new(), segment_compaction::Ask::All);
    let lease = engine.lock().acquire(&plan.groups[0]).unwrap();
    let segments = engine.compactor().folder().segments().unwrap();
    yard.files.remove(&segments[0].path()).unwrap();
    let error = engine.compactor().compact(&plan.groups[0], &lease).unwrap_err();
    assert_eq!(error.to_string(), "stale plan: planned 2 segments 1-1 .. 2-1, found 2-1");
    assert_eq!(content(&segments[1..]).unwrap().len(), 1);
}
