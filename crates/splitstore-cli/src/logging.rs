//! Logs on standard error, chosen by `SPLITSTORE_LOG`, else by `RUST_LOG`, else none: what fails
//! is said once, at the end.

use std::io::{self, IsTerminal};
use std::panic;

use tracing_subscriber::EnvFilter;

/// Starts logging, and keeps quiet about panics that are told otherwise.
pub(crate) fn start() {
    let chosen = ["SPLITSTORE_LOG", "RUST_LOG"].iter().find_map(|name| std::env::var(name).ok());
    let filter = EnvFilter::new(chosen.unwrap_or_else(|| "off".to_owned()));
    // Nothing else in this program sets a subscriber, so this is the first.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .try_init();
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panicked| {
        // It panics over a damaged page; that is caught, and told as what it is.
        if !panicked.location().is_some_and(|place| place.file().contains("/redb-")) {
            usual(panicked);
        }
    }));
}
