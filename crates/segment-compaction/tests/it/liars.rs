//! Formats that do what they must not: what the compactor does not take their word for.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use segment_compaction::{
    Cancel, CompactError, Compactor, FileSystem as _, FormatError, GroupLock, Held, MemoryFiles, MergeMode,
    Naming, NoObserver, Output, Planner, Report, Segment, SegmentFolder, SegmentFormat, SegmentStats,
    Throttle, Tools,
};

use crate::lines::{Lines, Merge, Sheet, content};
use crate::yard::{FOLDER, Yard, small};

#[derive(Clone, Copy)]
enum Lie {
    /// Merges give nothing.
    Forgets,
    /// What is written is damaged once it is synced.
    Damages,
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
        HONEST.stats(segment)
    }

    fn merger(&self, inputs: &[Segment], mode: MergeMode, cancel: &Cancel) -> Result<Merge, FormatError> {
        match self.0 {
            Lie::Forgets => Ok(Merge::new(BTreeMap::new(), cancel)),
            Lie::Damages => HONEST.merger(inputs, mode, cancel),
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

const HONEST: Lines = Lines { lines_max: 100 };

fn compacted_by(lie: Lie) -> (Yard, Result<Report, CompactError>) {
    let yard = Yard::new(small());
    yard.snapshot(&[("a", "1"), ("b", "1")]).unwrap();
    yard.snapshot(&[("a", "2")]).unwrap();
    let files = yard.files.clone();
    let (folder, _) =
        SegmentFolder::open(Arc::new(files.clone()), Path::new(FOLDER), HONEST.naming()).unwrap();
    let tools =
        Tools { clock: yard.clock.clone(), observer: Arc::new(NoObserver), throttle: Throttle::off() };
    let compactor = Compactor::new(Arc::new(Liar(lie, files)), folder, tools, 1000);
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
