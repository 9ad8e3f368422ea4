//! Whether a head change starts a compaction.

use std::fmt;
use std::time::Duration;

use crate::{Epoch, EpochSpan, Hold, Policy, Window};

/// What to do about a new head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Compact with this cut.
    Compact(Window),
    /// Not yet.
    Wait(Why),
}

/// Why a compaction does not start.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// The head is not far enough past the base.
    BelowThreshold {
        /// Epochs from base to head.
        span: EpochSpan,
        /// Epochs it must exceed.
        threshold: EpochSpan,
    },
    /// The node is behind its chain.
    Behind,
    /// A hold is on.
    Held(Hold),
    /// The last run failed a short while ago.
    BackingOff {
        /// Until the next try.
        wait: Duration,
    },
}

/// Compacts when the head is *more* than the threshold past the base (strictly, as in Lotus).
pub fn decide(head: Epoch, base: Epoch, policy: &Policy) -> Decision {
    let (span, threshold) = (head.since(base), policy.threshold());
    if span > threshold {
        return Decision::Compact(Window::at(head, base, policy));
    }
    Decision::Wait(Why::BelowThreshold { span, threshold })
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BelowThreshold { span, threshold } => {
                write!(f, "head is {span} epochs past the base, compaction starts beyond {threshold}")
            }
            Self::Behind => f.write_str("the node is behind its chain"),
            Self::Held(hold) => write!(f, "held by {hold}"),
            Self::BackingOff { wait } => {
                write!(f, "the last run failed; next try in {:.0} s", wait.as_secs_f64())
            }
        }
    }
}
