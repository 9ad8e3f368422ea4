//! Events as log lines of `tracing`: phase edges at info, counts on the way at debug, failures at error.

use splitstore_ports::{Event, Observer};

/// Logs what happens, under the target `splitstore`.
#[derive(Debug, Clone, Copy, Default)]
pub struct TracingObserver;

impl Observer for TracingObserver {
    fn on_event(&self, event: &Event) {
        match event {
            Event::Waiting(_) | Event::Progress(_) => tracing::debug!(target: "splitstore", "{event}"),
            Event::MissingReferences(_)
            | Event::RewriteFellShort(_)
            | Event::Resumed
            | Event::SetAside { .. }
            | Event::LogDamaged { .. }
            | Event::LinkIndexSetAside { .. } => {
                tracing::warn!(target: "splitstore", "{event}");
            }
            Event::Failed(..) => tracing::error!(target: "splitstore", "{event}"),
            _ => tracing::info!(target: "splitstore", "{event}"),
        }
    }
}
