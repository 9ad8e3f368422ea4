//! Cold policies: of this process, of those before it, and of the run that is under way or is to be finished.

use splitstore_domain::ColdPolicy;

use crate::world::World;

/// What the store was told so far.
pub(crate) struct Policies {
    /// When the run began whose filter may be on.
    pub(crate) of_run: ColdPolicy,
    all: Vec<ColdPolicy>,
}

impl Policies {
    pub(crate) fn new(first: ColdPolicy) -> Self {
        Self { of_run: first, all: vec![first] }
    }

    /// Whether there was one that drops anything.
    pub(crate) fn drops(&self) -> bool {
        self.all.iter().any(|policy| *policy != ColdPolicy::Universal)
    }

    /// Whether there was one that drops old messages.
    pub(crate) fn discards(&self) -> bool {
        self.all.contains(&ColdPolicy::Discard)
    }
}

impl World {
    /// The next process may be told another cold policy.
    pub(crate) fn change_policy(&mut self) {
        let next = self.options.next_policy();
        if next != self.options.cold {
            self.trace.line(format!("from now on {next}"));
            self.coverage.count(format!("policy: {}, then {next}", self.options.cold));
        }
        self.options.cold = next;
        self.policies.all.push(next);
    }

    /// Whether all that leaves hot is in cold, whoever finishes whose run.
    pub(crate) fn loses_nothing(&self) -> bool {
        self.options.cold == ColdPolicy::Universal && self.policies.of_run == ColdPolicy::Universal
    }
}
