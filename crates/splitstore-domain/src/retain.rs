//! What a header contributes to the live set: the retention table.
//!
//! | part | condition on height h | kept | missing blocks |
//! |---|---|---|---|
//! | header | all, down to genesis | hot | abort |
//! | tipset key of its parents | all | hot | skipped: kept if present |
//! | what genesis names as its parents | h = 0 | hot | skipped: kept if present, never opened |
//! | state | h >= boundary, or h = 0 | hot | abort |
//! | messages | h > 0 and h >= `messages_from` | hot | abort; skipped when retention > 0 |
//! | receipts | same | hot | skipped (a node may never have had them) |
//! | messages, receipts | 0 < h < `messages_from` | cold, under policy `messages` | skipped |
//!
//! At or below the height of an imported snapshot, "abort" means: unless the whole part is absent.
//!
//! Under `universal` everything else that hot holds moves to cold, under `discard` it is dropped: neither
//! needs a walk of old messages. Messages and receipts of genesis are never kept.
//! Source: Lotus' `walkChain`, `lotus-splitstore.md` section 3.

use cid::Cid;

use crate::{ColdPolicy, Epoch, EpochSpan, HeaderView, Policy, Window};

/// Whether a block missing under a root ends the run or is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Completeness {
    /// A missing block is an error that names it and its root.
    Strict,
    /// The root may be absent as a whole; a block missing below it is an error.
    WholeIfPresent,
    /// A missing block ends its branch; what is there is kept.
    Lenient,
}

/// The tier that a root keeps its DAG in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Stays in hot.
    Hot,
    /// May leave hot, and moves to cold when it does.
    Cold,
}

/// What part of a header a root is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The state after the parents' messages.
    State,
    /// The messages.
    Messages,
    /// The receipts of the parents' messages.
    Receipts,
}

/// A DAG to walk on behalf of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Root {
    /// Where it starts.
    pub cid: Cid,
    /// What it is.
    pub part: Part,
    /// Where it is kept.
    pub scope: Scope,
    /// What a missing block means.
    pub completeness: Completeness,
}

impl Root {
    /// This root under a header that came with a snapshot: snapshots leave out old state as a whole, and what
    /// was never there is not missing.
    pub fn of_snapshot(self) -> Self {
        match self.completeness {
            Completeness::Strict => Self { completeness: Completeness::WholeIfPresent, ..self },
            Completeness::WholeIfPresent | Completeness::Lenient => self,
        }
    }
}

/// The rows of the table, strict ones first, for a header inside `window` under `policy`.
pub fn roots_of(header: &HeaderView, window: &Window, policy: &Policy) -> impl Iterator<Item = Root> {
    let state = keeps_state(header.height, window).then_some(Root {
        cid: header.state,
        part: Part::State,
        scope: Scope::Hot,
        completeness: Completeness::Strict,
    });
    let messages = message_scope(header.height, window, policy.cold());
    let messages = messages.into_iter().flat_map(move |scope| {
        let completeness = message_completeness(scope, policy.message_retention());
        [
            Root { cid: header.messages, part: Part::Messages, scope, completeness },
            Root { cid: header.receipts, part: Part::Receipts, scope, completeness: Completeness::Lenient },
        ]
    });
    state.into_iter().chain(messages)
}

/// Whether state of this height stays hot.
pub fn keeps_state(height: Epoch, window: &Window) -> bool {
    height >= window.boundary || height == Epoch::GENESIS
}

/// Where messages and receipts of this height are kept; `None` where nothing walks them.
pub fn message_scope(height: Epoch, window: &Window, cold: ColdPolicy) -> Option<Scope> {
    match (height, cold) {
        (Epoch::GENESIS, _) => None,
        (height, _) if height >= window.messages_from => Some(Scope::Hot),
        (_, ColdPolicy::Messages) => Some(Scope::Cold),
        (_, ColdPolicy::Universal | ColdPolicy::Discard) => None,
    }
}

fn message_completeness(scope: Scope, retention: EpochSpan) -> Completeness {
    // A longer retention reaches back to where a snapshot may have no messages (Lotus #10260).
    match scope {
        Scope::Hot if retention == EpochSpan::new(0) => Completeness::Strict,
        Scope::Hot | Scope::Cold => Completeness::Lenient,
    }
}
