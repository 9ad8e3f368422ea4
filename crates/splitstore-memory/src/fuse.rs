//! The life of a process, shared by all the adapters it uses: when it burns out, none takes effect any more.
//!
//! ```text
//!   hot.put_many  files.write  cold.sync  | burnt |  hot.delete_many  meta.set_many
//!   effect 1      effect 2     effect 3   |  (3)  |  Closed           Closed
//! ```
//! Burning after 0, 1, 2, .. effects plays every crash of a run.

use std::sync::Arc;

use parking_lot::Mutex;
use splitstore_ports::{ErrorKind, PortError, Result};

/// Counts effects, and lets no more happen after a chosen number. Clones are one fuse.
#[derive(Debug, Clone, Default)]
pub struct Fuse(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    effects: u64,
    left: Option<u64>,
}

impl Fuse {
    /// A fuse that never burns.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets so many more effects happen, and then none.
    pub fn burn_after(&self, effects: u64) {
        self.0.lock().left = Some(effects);
    }

    /// The next process: the count begins anew and nothing is refused.
    pub fn renew(&self) {
        *self.0.lock() = State::default();
    }

    /// How many effects happened.
    pub fn effects(&self) -> u64 {
        self.0.lock().effects
    }

    /// Whether effects are refused from now on.
    pub fn is_burnt(&self) -> bool {
        self.0.lock().left == Some(0)
    }

    /// One effect, unless it is burnt; `attempt` names it.
    pub(crate) fn spend(&self, attempt: &str) -> Result<()> {
        let mut state = self.0.lock();
        if let Some(left) = &mut state.left {
            let after = left.checked_sub(1);
            *left = after
                .ok_or_else(|| PortError::bare(ErrorKind::Closed, format!("{attempt} in a dead process")))?;
        }
        state.effects = state.effects.saturating_add(1);
        Ok(())
    }
}
