//! A wish to stop, shared between who wishes and who works.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{ErrorKind, PortError, Result};

/// Cheap to clone; all clones share one flag, which is never taken back.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Nobody wishes to stop yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks all who look to stop.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether to stop.
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// An `Interrupted` error if raised; `attempt` names what stops.
    pub fn check(&self, attempt: &str) -> Result<()> {
        if self.is_raised() {
            return Err(PortError::bare(ErrorKind::Interrupted, attempt));
        }
        Ok(())
    }
}
