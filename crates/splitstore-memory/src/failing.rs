//! A store that fails when it is told to.

use std::fmt;

use parking_lot::Mutex;
use splitstore_ports::{ErrorKind, PortError, Result};

use crate::{Call, Fuse, Hook, Hooked};

/// A store that fails calls chosen in advance. A failed call does nothing. After a failed sync it refuses
/// writes until it is [healed](Failing::heal), as the contract asks.
pub type Failing<T> = Hooked<T, Failures>;

/// Which calls fail.
#[derive(Debug, Default)]
pub struct Failures {
    state: Mutex<State>,
    fuse: Fuse,
}

#[derive(Debug, Default)]
struct State {
    rule: Option<Rule>,
    /// Calls that the rule has picked so far.
    picked: u64,
    sync: SyncState,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum SyncState {
    #[default]
    Sound,
    Failed,
}

struct Rule {
    which: Box<dyn Fn(&Call) -> bool + Send + Sync>,
    kind: ErrorKind,
    /// How many of the picked calls are let through first.
    spared: u64,
    then: Then,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    FailOnce,
    FailForGood,
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule").field("kind", &self.kind).field("spared", &self.spared).finish_non_exhaustive()
    }
}

impl<T> Failing<T> {
    /// Fails nothing yet.
    pub fn new(inner: T) -> Self {
        Self::fused(inner, Fuse::new())
    }

    /// Fails nothing yet, and every put, delete and sync when `fuse` is burnt.
    pub fn fused(inner: T, fuse: Fuse) -> Self {
        Self::over(inner, Failures { state: Mutex::default(), fuse })
    }

    /// Fails the `n`-th call from now, from 1, and no other.
    pub fn fail_nth(&self, n: u64, kind: ErrorKind) {
        self.fail_nth_where(n, kind, |_| true);
    }

    /// Fails the `n`-th call from now that `which` picks, from 1, and no other.
    pub fn fail_nth_where(
        &self,
        n: u64,
        kind: ErrorKind,
        which: impl Fn(&Call) -> bool + Send + Sync + 'static,
    ) {
        self.set(Rule { which: Box::new(which), kind, spared: n.saturating_sub(1), then: Then::FailOnce });
    }

    /// Fails every call from now on that `which` picks.
    pub fn fail_where(&self, kind: ErrorKind, which: impl Fn(&Call) -> bool + Send + Sync + 'static) {
        self.set(Rule { which: Box::new(which), kind, spared: 0, then: Then::FailForGood });
    }

    /// Lets `effects` puts, deletes and syncs pass and fails all later ones: a process that dies there.
    pub fn die_after(&self, effects: u64) {
        self.hook().fuse.burn_after(effects);
    }

    /// Fails nothing any more, takes writes again after a failed sync, and renews the fuse.
    pub fn heal(&self) {
        *self.hook().state.lock() = State::default();
        self.hook().fuse.renew();
    }

    /// How many calls the present rule has picked, failed or not.
    pub fn picked(&self) -> u64 {
        self.hook().state.lock().picked
    }

    fn set(&self, rule: Rule) {
        let mut state = self.hook().state.lock();
        state.rule = Some(rule);
        state.picked = 0;
    }
}

impl Hook for Failures {
    fn before(&self, call: Call) -> Result<()> {
        if call.is_effect() {
            self.fuse.spend(call.name())?;
        }
        let mut state = self.state.lock();
        if state.sync == SyncState::Failed && call.is_effect() {
            let attempt = format!("{} after a failed sync", call.name());
            return Err(PortError::bare(ErrorKind::Closed, attempt));
        }
        let Some(kind) = state.failure_of(&call) else { return Ok(()) };
        if call == Call::Sync {
            state.sync = SyncState::Failed;
        }
        Err(PortError::bare(kind, format!("{}, told to fail", call.name())))
    }
}

impl State {
    /// The kind with which the rule fails this call, if it does.
    fn failure_of(&mut self, call: &Call) -> Option<ErrorKind> {
        let rule = self.rule.as_ref().filter(|rule| (rule.which)(call))?;
        self.picked = self.picked.saturating_add(1);
        let fails = match rule.then {
            Then::FailOnce => self.picked == rule.spared.saturating_add(1),
            Then::FailForGood => self.picked > rule.spared,
        };
        fails.then_some(rule.kind)
    }
}
