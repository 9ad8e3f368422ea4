//! Stopping: what runs holds a permit, and a door that closes cancels all permits given before.
//!
//! ```text
//!   epoch     0 ........ 1 ..................... 1 .....
//!             permit a   close()                 Closed dropped: permit b
//!             runs       a is cancelled          b runs (epoch 1), a stays cancelled
//! ```
//! No channel is swapped: a permit remembers the epoch it was given in, and is cancelled when the door's epoch has
//! moved on. Snapshots and compactions have a door each. Invariant: while a `Closed` is held nobody enters.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Condvar, Mutex};
use thiserror::Error;

/// Work was stopped from outside; it left nothing behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("interrupted")]
pub struct Cancelled;

/// A door is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{0} are disabled")]
pub struct Disabled(pub &'static str);

/// Looked at by long work; cheap to clone and to ask.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    epoch: Arc<AtomicU64>,
    given: u64,
}

impl Cancel {
    /// One that nothing cancels.
    pub fn never() -> Self {
        Self::default()
    }

    /// Whether to stop.
    pub fn is_cancelled(&self) -> bool {
        self.epoch.load(Ordering::Acquire) != self.given
    }

    /// An error if it is time to stop.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }
}

/// Lets work in, one permit each, until it is closed.
#[derive(Debug, Clone)]
pub struct Door {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    what: &'static str,
    epoch: Arc<AtomicU64>,
    state: Mutex<State>,
    left: Condvar,
}

#[derive(Debug, Default)]
struct State {
    closed: usize,
    inside: usize,
}

/// Leave to work. The door knows that somebody is inside until this is dropped.
#[derive(Debug)]
#[must_use]
pub struct Permit {
    door: Arc<Inner>,
    cancel: Cancel,
}

/// Keeps a door closed. Several may; it opens again when all are dropped.
#[derive(Debug)]
#[must_use]
pub struct Closed {
    door: Arc<Inner>,
}

impl Door {
    /// An open door for `what`, named in the plural.
    pub fn new(what: &'static str) -> Self {
        let epoch = Arc::default();
        Self { inner: Arc::new(Inner { what, epoch, state: Mutex::default(), left: Condvar::new() }) }
    }

    /// Comes in, unless it is closed.
    pub fn enter(&self) -> Result<Permit, Disabled> {
        let mut state = self.inner.state.lock();
        if state.closed > 0 {
            return Err(Disabled(self.inner.what));
        }
        state.inside += 1;
        let epoch = Arc::clone(&self.inner.epoch);
        let given = epoch.load(Ordering::Acquire);
        Ok(Permit { door: Arc::clone(&self.inner), cancel: Cancel { epoch, given } })
    }

    /// Cancels all who are inside and lets nobody in while the guard lives. Does not wait for them.
    pub fn close(&self) -> Closed {
        self.inner.state.lock().closed += 1;
        self.interrupt();
        Closed { door: Arc::clone(&self.inner) }
    }

    /// Cancels all who are inside; others may come in at once.
    pub fn interrupt(&self) {
        // Under the lock, so that nobody enters half-way between the two epochs.
        let _state = self.inner.state.lock();
        self.inner.epoch.fetch_add(1, Ordering::Release);
    }

    /// How many are inside.
    pub fn inside(&self) -> usize {
        self.inner.state.lock().inside
    }
}

impl Closed {
    /// Waits until nobody is inside: nothing that was running touches a file after this.
    pub fn wait(&self) {
        let mut state = self.door.state.lock();
        while state.inside > 0 {
            self.door.left.wait(&mut state);
        }
    }
}

impl Permit {
    /// What its holder looks at.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.door.state.lock().inside -= 1;
        self.door.left.notify_all();
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        self.door.state.lock().closed -= 1;
    }
}
