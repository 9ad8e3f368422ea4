//! How the program ends: the code, and the one message that says why.

use std::ffi::OsStr;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Error;
use serde_json::json;

use crate::damage::is_damage;
use crate::output::{Output, OutputClosed, print};

/// How a command came out that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// As asked.
    Done,
    /// It has said that something is wrong with the files.
    Wrong,
}

/// Content that is not what it was: nothing worse can happen.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Broken(pub(crate) String);

const WRONG: u8 = 1;
const BAD_INPUT: u8 = 2;

/// The end of a command.
pub(crate) fn code(outcome: anyhow::Result<Outcome>, output: Output) -> ExitCode {
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Wrong) => ExitCode::from(WRONG),
        Err(error) if error.is::<OutputClosed>() => ExitCode::SUCCESS,
        Err(error) => {
            complain(&told(&error), output);
            ExitCode::from(code_of(&error))
        }
    }
}

/// Damage of files is 1; all else was the command's or the system's fault.
fn code_of(error: &Error) -> u8 {
    let broken = error.chain().any(<dyn std::error::Error>::is::<Broken>);
    if broken || is_damage(error) { WRONG } else { BAD_INPUT }
}

/// An error and its causes on one line. What a message has said of its cause already is not said again.
pub(crate) fn told(error: &Error) -> String {
    causes(error.as_ref())
}

/// The same of any error.
pub(crate) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        next = cause.source();
    }
    text
}

/// The end of a command line that could not be read, or that asked for help.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() || !std::env::args_os().any(|arg| arg == OsStr::new("--json")) {
        let _ = error.print();
    } else {
        let text = error.render().to_string();
        complain(text.trim_end().trim_start_matches("error: "), Output::Json);
    }
    if error.use_stderr() { ExitCode::from(BAD_INPUT) } else { ExitCode::SUCCESS }
}

/// Always on standard error, and to machines as their one object.
fn complain(message: &str, output: Output) {
    // Where nobody listens, the exit code remains.
    let _ = writeln!(std::io::stderr(), "error: {message}");
    if output == Output::Json {
        let _ = print(|out| Ok(writeln!(out, "{}", json!({ "error": message }))?));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let damaged =
            tsm::tombstone::read(&[0, 0, 0x15, 9][..], "d/1-1.tombstone".as_ref(), tsm::Limits::default());
        let error = Error::from(damaged.unwrap_err()).context("look at d");
        assert_eq!(told(&error), "look at d: read d/1-1.tombstone: version 9 is not known");
    }
}
