//! What happens, as typed events at phase edges. Logs, metrics and progress bars are observers.

use std::fmt;
use std::panic::Location;
use std::path::PathBuf;
use std::time::Duration;

use splitstore_domain::trigger::Why;
use splitstore_domain::{CompactionPlan, CompactionReport, Phase, PhaseReport, Shortfall, Window};

/// Something that happened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// A head change did not start a compaction.
    Waiting(Why),
    /// A compaction began.
    Started(Window),
    /// A phase began.
    PhaseStarted(Phase),
    /// A phase got on; counts are totals so far.
    Progress(PhaseReport),
    /// A phase ended.
    PhaseFinished(PhaseReport),
    /// Collection ended: what will be done.
    Planned(CompactionPlan),
    /// References that nothing held were tolerated: one event with the number, never a line each.
    MissingReferences(u64),
    /// A view was open for long when a run sealed.
    LongView {
        /// Where it was taken.
        at: &'static Location<'static>,
        /// How long it had been open.
        age: Duration,
    },
    /// A rewrite of hot left this to deletes since the last such event: the engine passed over blocks, or the disk had no
    /// room to go on.
    RewriteFellShort(Shortfall),
    /// A compaction ended.
    Finished(Box<CompactionReport>),
    /// A compaction failed or was stopped in a phase, for this reason.
    Failed(Phase, String),
    /// Open found a sealed run and finishes its purge.
    Resumed,
    /// The purge of a run that had sealed before a restart, or failed in its purge, has ended; the run is committed.
    FinishedEarlier {
        /// The run.
        index: u64,
        /// Blocks deleted since it went on.
        deleted: u64,
        /// Candidates that were referenced after all since then.
        spared: u64,
    },
    /// Open found a run whose files are damaged and set its folder aside: no block depends on finishing it.
    SetAside {
        /// Where it lies now.
        folder: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Open found damage before sound records in a log of hot: what the log held from there on is gone.
    LogDamaged {
        /// The log.
        file: PathBuf,
    },
    /// The link index is not what it should be: it was set aside, and the run does without it.
    LinkIndexSetAside {
        /// Where it lies now.
        file: PathBuf,
        /// What is wrong with it: the block and the file.
        reason: String,
    },
}

/// Hears events. Called on the thread where they happen; returns soon, never fails.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn on_event(&self, event: &Event);
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn on_event(&self, _event: &Event) {
        // Whoever wants events passes another observer.
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting(why) => write!(f, "waiting: {why}"),
            Self::Started(window) => write!(f, "compaction started: {window}"),
            Self::PhaseStarted(phase) => write!(f, "{phase} started"),
            Self::Progress(report) => write!(f, "{}: {} objects", report.phase, report.objects),
            Self::PhaseFinished(report) => write!(
                f,
                "{} finished: {} objects, {} in {:.3} s",
                report.phase,
                report.objects,
                report.bytes,
                report.duration.as_secs_f64()
            ),
            Self::Planned(plan) => write!(
                f,
                "planned: keep {}, transfer {}, drop {}",
                plan.keep.blocks, plan.transfer.blocks, plan.drop.blocks
            ),
            Self::MissingReferences(count) => write!(f, "{count} references were missing and tolerated"),
            Self::LongView { at, age } => {
                write!(f, "a view taken at {at} has been open for {:.0} s", age.as_secs_f64())
            }
            Self::RewriteFellShort(shortfall) => write!(f, "a rewrite of hot fell short: {shortfall}"),
            Self::Finished(report) => write!(f, "compaction {} finished", report.index),
            Self::Failed(phase, reason) => write!(f, "compaction failed in {phase}: {reason}"),
            Self::Resumed => write!(f, "a sealed compaction is finished after a restart"),
            Self::FinishedEarlier { index, deleted, spared } => {
                write!(
                    f,
                    "compaction {index} finished late: {deleted} deleted, {spared} spared since it went on"
                )
            }
            Self::SetAside { folder, reason } => {
                write!(f, "a damaged compaction was set aside as {}: {reason}", folder.display())
            }
            Self::LogDamaged { file } => {
                write!(
                    f,
                    "log {} was damaged: what it held behind the damage is gone, see `verify`",
                    file.display()
                )
            }
            Self::LinkIndexSetAside { file, reason } => {
                write!(f, "the link index was set aside as {}: {reason}", file.display())
            }
        }
    }
}
