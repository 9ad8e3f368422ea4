//! What happens, as typed events. Logs, metrics and progress bars are observers.

use std::fmt;

use crate::compactor::Report;
use crate::generation::SegmentId;
use crate::plan::Plan;

/// Something that happened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// A plan was made that has groups.
    Planned(Box<Plan>),
    /// A segment's index cannot be read; plans stop at its generation. Told once.
    Damaged {
        /// Which.
        segment: SegmentId,
        /// Why, with all causes.
        reason: String,
    },
    /// A compaction of these inputs began; none for a snapshot.
    Started {
        /// What it merges.
        inputs: Vec<SegmentId>,
    },
    /// Totals so far.
    Progress {
        /// Blocks written.
        blocks: u64,
        /// Bytes written.
        bytes: u64,
        /// Bytes of all inputs.
        of_bytes: u64,
    },
    /// An output is synced and verified, not yet visible.
    Verified {
        /// Its name to be.
        id: SegmentId,
        /// Its size.
        bytes: u64,
    },
    /// Outputs are durable under their names; inputs are removed next. Whoever reads inputs turns to the outputs.
    Installed {
        /// New segments.
        outputs: Vec<SegmentId>,
        /// Segments that go.
        inputs: Vec<SegmentId>,
    },
    /// A compaction ended well.
    Finished(Report),
    /// A compaction did not happen.
    Failed {
        /// What it would have merged.
        inputs: Vec<SegmentId>,
        /// Why, with all causes.
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
            Self::Planned(plan) => plan.fmt(f),
            Self::Damaged { segment, reason } => write!(f, "{segment} cannot be read: {reason}"),
            Self::Started { inputs } => write!(f, "compaction of {} started", listed(inputs)),
            Self::Progress { blocks, bytes, of_bytes } => {
                write!(f, "{blocks} blocks, {bytes} bytes of at most {of_bytes}")
            }
            Self::Verified { id, bytes } => write!(f, "{id} written and verified: {bytes} bytes"),
            Self::Installed { outputs, inputs } => {
                write!(f, "{} in place of {}", listed(outputs), listed(inputs))
            }
            Self::Finished(report) => report.fmt(f),
            Self::Failed { inputs, reason } => write!(f, "compaction of {} failed: {reason}", listed(inputs)),
        }
    }
}

pub(crate) fn listed(ids: &[SegmentId]) -> String {
    match ids {
        [] => "nothing".into(),
        [one] => one.to_string(),
        [first, .., last] => format!("{} segments {first} .. {last}", ids.len()),
    }
}
