//! Whether the node keeps up with its chain, judged by the age of each new head.
//!
//! ```text
//!   age of head    0 ------- 30 s ------------- 60 s ------------------>
//!                  in step   |  as it was, but   |  behind
//!                            |  5 heads in a row |
//!                            |  end being behind |
//! ```
//! The gate delays a run, it never permits a deletion. A node that hovers between the two bounds goes on after a
//! few heads; one that falls behind again waits again, as often as it happens.

use std::time::Duration;

/// The bounds of the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SyncPolicy {
    /// The age of heads means nothing: archives are replayed, or the chain has no clock.
    #[default]
    Ignore,
    /// Runs wait while the node is behind.
    Wait {
        /// A head older than this: behind.
        behind_beyond: Duration,
        /// A head younger than this: in step.
        in_step_within: Duration,
    },
}

impl SyncPolicy {
    /// Lotus' bounds: behind beyond 60 s, in step within 30 s.
    pub const LOTUS: Self =
        Self::Wait { behind_beyond: Duration::from_secs(60), in_step_within: Duration::from_secs(30) };
}

/// What the gate believes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SyncState {
    /// Runs may start and go on.
    #[default]
    InStep,
    /// Runs wait.
    Behind,
}

/// The gate.
#[derive(Debug, Clone, Copy, Default)]
pub struct SyncGate {
    policy: SyncPolicy,
    state: SyncState,
    /// Heads between the bounds since the last one beyond them.
    hovering: u32,
}

impl SyncGate {
    /// So many heads in a row between the bounds end being behind.
    pub const HOVER_MAX: u32 = 5;

    /// A gate that believes the node in step until a head says otherwise.
    pub const fn new(policy: SyncPolicy) -> Self {
        Self { policy, state: SyncState::InStep, hovering: 0 }
    }

    /// Takes in the age of a new head.
    pub fn observe(&mut self, age: Duration) -> SyncState {
        let SyncPolicy::Wait { behind_beyond, in_step_within } = self.policy else { return self.state };
        self.hovering = if age > behind_beyond || age < in_step_within { 0 } else { self.hovering + 1 };
        if age > behind_beyond {
            self.state = SyncState::Behind;
        } else if age < in_step_within || self.hovering >= Self::HOVER_MAX {
            self.state = SyncState::InStep;
        }
        self.state
    }

    /// What it believes now.
    pub const fn state(&self) -> SyncState {
        self.state
    }
}
