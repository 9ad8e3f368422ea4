//! Ctrl-C (SIGINT) and SIGTERM while a store is written to: the command ends between two steps.
//!
//! ```text
//!   first signal    noted, and told to whoever works; it ends when its step is done     exit code 130
//!   second signal   the process ends at once; the next open mends what that leaves      exit code 130
//! ```
//! Commands that only read are ended by the first signal, as the system does it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

use crate::exit::INTERRUPTED;
use crate::output::Output;

/// Listens until it is dropped.
pub(crate) struct Interrupt {
    asked: Arc<AtomicBool>,
    handle: Handle,
    listener: Option<JoinHandle<()>>,
}

impl Interrupt {
    /// Begins to listen; `tell` is called at the first signal, on a thread of its own.
    pub(crate) fn listen(output: Output, tell: impl Fn() + Send + 'static) -> Result<Self> {
        let mut signals = Signals::new([SIGINT, SIGTERM]).context("listen for Ctrl-C")?;
        let (asked, handle) = (Arc::new(AtomicBool::new(false)), signals.handle());
        let noted = asked.clone();
        let listen = move || {
            for _ in signals.forever() {
                if noted.swap(true, Ordering::SeqCst) {
                    std::process::exit(INTERRUPTED.into());
                }
                output.note("interrupted: ending after this step; once more ends at once");
                tell();
            }
        };
        Ok(Self { asked, handle, listener: Some(std::thread::spawn(listen)) })
    }

    /// Whether a signal came.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        self.handle.close();
        if let Some(listener) = self.listener.take() {
            // It only panics if `tell` did, and then has said so.
            let _ = listener.join();
        }
    }
}
