//! A store that writes down what is asked of it.

use parking_lot::Mutex;
use splitstore_ports::Result;

use crate::{Call, Hook, Hooked};

/// A store that records its calls, in the order they began.
pub type Recording<T> = Hooked<T, Record>;

/// What was asked so far.
#[derive(Debug, Default)]
pub struct Record(Mutex<Vec<Call>>);

impl<T> Recording<T> {
    /// Records the calls on `inner` from now on.
    pub fn new(inner: T) -> Self {
        Self::over(inner, Record::default())
    }

    /// The calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.hook().0.lock().clone()
    }

    /// The calls so far; the record begins anew.
    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.hook().0.lock())
    }

    /// How many of the calls so far `which` picks.
    pub fn count(&self, which: impl Fn(&Call) -> bool) -> usize {
        self.hook().0.lock().iter().filter(|call| which(call)).count()
    }
}

impl Hook for Record {
    fn before(&self, call: Call) -> Result<()> {
        self.0.lock().push(call);
        Ok(())
    }
}
