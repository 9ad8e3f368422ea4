//! What a command says: text for people, or one JSON object for machines.

use std::fmt::Display;
use std::io::{self, BufWriter, StdoutLock, Write};

use anyhow::Result;
use serde_json::Value;

/// How to say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// The reader of standard output went away: no fault of ours, and nobody left to tell.
#[derive(Debug, thiserror::Error)]
#[error("standard output was closed")]
pub(crate) struct OutputClosed;

impl Output {
    /// Prints the one result of a command.
    pub(crate) fn result(self, text: impl Display, json: &Value) -> Result<()> {
        print(|out| {
            match self {
                Self::Text => writeln!(out, "{}", text.to_string().trim_end())?,
                Self::Json => writeln!(out, "{json}")?,
            }
            Ok(())
        })
    }

    /// Says something on the side; machines are spared.
    pub(crate) fn note(self, text: impl Display) {
        if self == Self::Text {
            // Where standard error is closed there is nobody to tell.
            let _ = writeln!(io::stderr(), "{text}");
        }
    }
}

/// Writes to standard output, buffered.
pub(crate) fn print(write: impl FnOnce(&mut BufWriter<StdoutLock<'static>>) -> Result<()>) -> Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let written = write(&mut out).and_then(|()| Ok(out.flush()?));
    written.map_err(|error| match error.downcast_ref::<io::Error>() {
        Some(refused) if refused.kind() == io::ErrorKind::BrokenPipe => OutputClosed.into(),
        Some(_) => error.context("write to standard output"),
        None => error,
    })
}

/// A size for people.
pub(crate) fn bytes(count: u64) -> String {
    indicatif::HumanBytes(count).to_string()
}
