//! The driver: takes a group, leaves one generation in its place.
//!
//! ```text
//!   permit -> inputs -> space -> merge -> sync -> verify -> install -> remove inputs
//!                                '---- any failure here: outputs vanish ----'
//! ```
//! It decides nothing: which group is the planner's business, when is the engine's.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::error::CompactError;
use crate::folder::SegmentFolder;
use crate::format::{Merger, SegmentFormat};
use crate::generation::{Level, SegmentId, Sequence};
use crate::install;
use crate::interrupt::{Cancel, Door};
use crate::lock::Lease;
use crate::observer::{Event, Observer, listed};
use crate::plan::Group;
use crate::segment::Segment;
use crate::throttle::Throttle;
use crate::write::{Pace, Writing, check_space};

/// What a compactor works with.
#[derive(Clone)]
pub struct Tools {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Who hears of it.
    pub observer: Arc<dyn Observer>,
    /// How fast outputs are written.
    pub throttle: Throttle,
}

/// Compacts groups of one folder. Many may run at once, of disjoint groups.
pub struct Compactor<F: SegmentFormat> {
    format: Arc<F>,
    folder: SegmentFolder,
    tools: Tools,
    segment_bytes_max: u64,
    snapshots: Door,
    compactions: Door,
}

/// A compaction, or a snapshot, that went well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What was merged and is gone.
    pub inputs: Vec<SegmentId>,
    /// What stands in its place. Nothing if all was deleted.
    pub outputs: Vec<SegmentId>,
    /// Bytes of the inputs.
    pub bytes_in: u64,
    /// Bytes of the outputs.
    pub bytes_out: u64,
    /// Blocks of the outputs.
    pub blocks: u64,
    /// How long it took.
    pub took: Duration,
}

impl<F: SegmentFormat> Compactor<F> {
    /// A compactor of a folder. `segment_bytes_max` is the planner's.
    pub fn new(format: Arc<F>, folder: SegmentFolder, tools: Tools, segment_bytes_max: u64) -> Self {
        let (snapshots, compactions) = (Door::new("snapshots"), Door::new("compactions"));
        Self { format, folder, tools, segment_bytes_max, snapshots, compactions }
    }

    /// Its format.
    pub fn format(&self) -> &F {
        &self.format
    }

    /// Its folder.
    pub fn folder(&self) -> &SegmentFolder {
        &self.folder
    }

    /// Closed, no snapshot runs or begins.
    pub fn snapshots(&self) -> &Door {
        &self.snapshots
    }

    /// Closed, no compaction runs or begins.
    pub fn compactions(&self) -> &Door {
        &self.compactions
    }

    pub(crate) fn segment_bytes_max(&self) -> u64 {
        self.segment_bytes_max
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.tools.clock
    }

    pub(crate) fn tell(&self, event: &Event) {
        self.tools.observer.on_event(event);
    }

    /// Merges a group. The lease says that nobody else does.
    pub fn compact(&self, group: &Group, lease: &Lease) -> Result<Report, CompactError> {
        let outcome = self.compact_inner(group, lease);
        if let Err(error) = &outcome {
            self.tell(&Event::Failed { inputs: group.segments.clone(), reason: chain(error) });
        }
        outcome
    }

    fn compact_inner(&self, group: &Group, lease: &Lease) -> Result<Report, CompactError> {
        if lease.segments() != group.segments {
            return Err(CompactError::Stale("the lease is of another group".into()));
        }
        let permit = self.compactions.enter()?;
        let inputs = self.inputs(group)?;
        self.tell(&Event::Started { inputs: group.segments.clone() });
        let merger = self.merger(group, &inputs, permit.cancel())?;
        let first = first_output(&group.segments)?;
        let pace = Pace { throttle: &self.tools.throttle, cancel: permit.cancel() };
        let (report, replaced) = self.write(merger, first, &inputs, pace)?;
        let removed = install::remove_inputs(&self.folder, &inputs, &replaced);
        removed.map_err(after_install)?;
        self.tell(&Event::Finished(report.clone()));
        Ok(report)
    }

    /// Writes what a merger gives as a new generation: a snapshot of whatever holds the newest writes. The lease
    /// is of the generation's first segment, so that no plan takes it half-installed. Until this returns, the source
    /// keeps its data: a power cut may leave the first of several outputs.
    pub fn snapshot<M: Merger<Writer = F::Writer>>(
        &self,
        merger: M,
        lease: &Lease,
    ) -> Result<Report, CompactError> {
        self.snapshot_at(merger, lease, &self.tools.throttle)
    }

    /// As [`Compactor::snapshot`], written no faster than another throttle allows: an urgent one is not held back.
    pub fn snapshot_at<M: Merger<Writer = F::Writer>>(
        &self,
        merger: M,
        lease: &Lease,
        throttle: &Throttle,
    ) -> Result<Report, CompactError> {
        let permit = self.snapshots.enter()?;
        let [first] = lease.segments() else {
            return Err(CompactError::Stale("the lease is not of one new segment".into()));
        };
        self.tell(&Event::Started { inputs: Vec::new() });
        let (report, _) = self.write(merger, *first, &[], Pace { throttle, cancel: permit.cancel() })?;
        self.tell(&Event::Finished(report.clone()));
        Ok(report)
    }

    /// The segments of a group as they lie in the folder: whole adjacent generations, or the plan is stale.
    fn inputs(&self, group: &Group) -> Result<Vec<Segment>, CompactError> {
        let (first, last) = group.span();
        let within = |segment: &Segment| (first..=last).contains(&segment.id.generation);
        let inputs: Vec<_> = self.folder.segments()?.into_iter().filter(within).collect();
        if !inputs.is_empty() && inputs.iter().map(|segment| segment.id).eq(group.segments.iter().copied()) {
            return Ok(inputs);
        }
        let there: Vec<_> = inputs.iter().map(|segment| segment.id).collect();
        Err(CompactError::Stale(format!("planned {}, found {}", listed(&group.segments), listed(&there))))
    }

    fn merger(&self, group: &Group, inputs: &[Segment], cancel: &Cancel) -> Result<F::Merger, CompactError> {
        let failed = |error| CompactError::format(format!("open {}", listed(&group.segments)), error);
        let needed = self.format.estimate(&self.folder.stats(&*self.format, inputs)?);
        check_space(&**self.folder.files(), self.folder.path(), needed)?;
        self.format.merger(inputs, group.mode, cancel).map_err(failed)
    }

    fn write<M: Merger<Writer = F::Writer>>(
        &self,
        merger: M,
        first: SegmentId,
        inputs: &[Segment],
        pace: Pace<'_>,
    ) -> Result<(Report, install::Installed), CompactError> {
        let start = self.tools.clock.now();
        let bytes_in = self.bytes(inputs)?;
        let mut writing = Writing { compactor: self, pace, of_bytes: bytes_in, blocks: 0, bytes: 0 };
        let outputs = writing.all(merger, first)?;
        let blocks = writing.blocks;
        let bytes_out = outputs.iter().map(|output| output.stats.bytes).sum();
        if outputs.is_empty() {
            self.check_vanished(inputs)?;
        }
        pace.cancel.check()?;
        let installed = install::install(&self.folder, outputs)?;
        let inputs: Vec<_> = inputs.iter().map(|input| input.id).collect();
        self.tell(&Event::Installed { outputs: installed.outputs.clone(), inputs: inputs.clone() });
        let took = self.tools.clock.now().saturating_sub(start);
        let outputs = installed.outputs.clone();
        Ok((Report { inputs, outputs, bytes_in, bytes_out, blocks, took }, installed))
    }

    /// A merge may give nothing only if something was deleted, or nothing was there: a format that forgets its
    /// blocks must not cost the inputs.
    fn check_vanished(&self, inputs: &[Segment]) -> Result<(), CompactError> {
        for input in inputs {
            let failed = |error| CompactError::format(format!("look at segment {} again", input.id), error);
            let stats = self.format.stats(input).map_err(failed)?;
            if stats.fill.blocks > 0 && !stats.tombstones.any() {
                let source = "a merge of data that is not deleted gave nothing";
                return Err(CompactError::format("merge", crate::FormatError::refused(source).of(input.id)));
            }
        }
        Ok(())
    }

    fn bytes(&self, inputs: &[Segment]) -> Result<u64, CompactError> {
        let files = self.folder.list()?;
        let is_input = |name: &str| inputs.iter().any(|input| input.name() == name);
        Ok(files.iter().filter(|file| is_input(&file.name)).map(|file| file.bytes).sum())
    }
}

/// The first output's name: in the newest generation, after all of it, and of no lower level than any input.
fn first_output(inputs: &[SegmentId]) -> Result<SegmentId, CompactError> {
    let newest = inputs.last().copied().ok_or_else(|| CompactError::Stale("a group of nothing".into()))?;
    let after = newest.sequence.next().ok_or(CompactError::Exhausted(newest))?;
    let generations = inputs.chunk_by(|a, b| a.generation == b.generation);
    let level = generations.map(|ids| ids[0].sequence.level()).max().map_or(Sequence::FIRST, Level::sequence);
    Ok(SegmentId { generation: newest.generation, sequence: after.max(level) })
}

fn after_install(error: CompactError) -> CompactError {
    match error {
        CompactError::Io { attempt, source } => CompactError::AfterInstall { attempt, source: source.into() },
        CompactError::Denied { attempt, source } | CompactError::NoSpace { attempt, source } => {
            CompactError::AfterInstall { attempt, source }
        }
        other => other,
    }
}

/// An error with its causes on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (inputs, outputs) = (listed(&self.inputs), listed(&self.outputs));
        let Self { bytes_in, bytes_out, .. } = self;
        write!(f, "{inputs} became {outputs}: {bytes_in} bytes became {bytes_out}")
    }
}
