//! How the program ends: the code, and the one message that says why.

use std::ffi::OsStr;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Error;
use clap::builder::{BoolishValueParser, TypedValueParser};
use serde_json::json;
use splitstore::export::ExportError;
use splitstore::folder::{FolderError, HotEngine, LostHead};
use splitstore::import::ImportError;
use splitstore::ports::cid::Cid;
use splitstore::ports::{ErrorKind, PortError};

use crate::output::{Output, OutputClosed, print};

/// How a command came out that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// As asked.
    Done,
    /// It has said that a law is broken, or that something is missing.
    Wrong,
}

/// A block that is in neither tier.
#[derive(Debug, thiserror::Error)]
#[error("not found: {0}")]
pub(crate) struct NotFound(pub(crate) Cid);

/// A command that cannot be carried out as it was given.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadUsage(pub(crate) &'static str);

const WRONG: u8 = 1;
const BAD_INPUT: u8 = 2;
/// What shells say of a program that Ctrl-C ended.
pub(crate) const INTERRUPTED: u8 = 130;

/// The end of a command on a store with this hot engine, if it is known.
pub(crate) fn code(
    outcome: anyhow::Result<Outcome>,
    output: Output,
    engine: impl FnOnce() -> Option<HotEngine>,
) -> ExitCode {
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Wrong) => ExitCode::from(WRONG),
        Err(error) if error.is::<OutputClosed>() => ExitCode::SUCCESS,
        Err(error) => {
            let (code, kind) = classify(&error);
            complain(&advised(chain(&error), kind, engine()), kind, output);
            ExitCode::from(code)
        }
    }
}

/// The end of a command line that could not be read, or that asked for help.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    // There are no parsed arguments to ask.
    let json = std::env::args_os().any(|arg| arg == OsStr::new("--json")) || is_json_wished();
    if json {
        let text = error.render().to_string();
        complain(text.trim_end().trim_start_matches("error: "), "usage", Output::Json);
    } else {
        let _ = error.print();
    }
    ExitCode::from(BAD_INPUT)
}

/// Whether the environment asks for JSON, read as the parser reads it.
fn is_json_wished() -> bool {
    let wish = std::env::var_os("SPLITSTORE_JSON").unwrap_or_default();
    BoolishValueParser::new().parse_ref(&clap::Command::new("splitstore"), None, &wish).unwrap_or(false)
}

/// Says what went wrong: always on standard error, and to machines as their one object.
pub(crate) fn complain(message: &str, kind: &str, output: Output) {
    // Where nobody listens, the exit code remains.
    let _ = writeln!(std::io::stderr(), "error: {message}");
    if output == Output::Json {
        let object = json!({ "error": message, "kind": kind });
        let _ = print(|out| Ok(writeln!(out, "{object}")?));
    }
}

/// The whole chain of causes in one line, none said twice.
fn chain(error: &Error) -> String {
    let mut message = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !message.contains(&cause) {
            let between = if message.is_empty() { "" } else { ": " };
            message = format!("{message}{between}{cause}");
        }
    }
    message
}

/// In the order in which it helps: an import asks for what is lost, and ends at the same page.
const HOT: &str =
    "`repair` writes what can be read of it anew, and importing the chain then brings back what is lost";
pub(crate) const HOT_UNREPAIRED: &str =
    "make a new store and import the chain into that: this engine has no `repair`";
const COLD: &str = "put back a whole copy of cold, or make a new store and import the chain into that";
const UNOPENED: &str = "put back a whole copy of the store, or make a new one and import the chain into that";
const DAMAGED: &str = "if it is hot, `repair` writes what can be read of it anew, and importing the chain then brings back what is lost; if it \
                       is cold, put back a whole copy; if the store does not open, make a new one and import the chain into that";

/// What helps against damage, by what this message says of where it is.
fn against_damage(message: &str, engine: Option<HotEngine>) -> &'static str {
    let [hot, cold] = ["hot tier", "cold store"].map(|tier| message.contains(tier));
    match (hot, cold) {
        (true, false) if message.contains("open hot tier") => UNOPENED,
        (true, false) if engine.is_some_and(HotEngine::has_repair) => HOT,
        (true, false) => HOT_UNREPAIRED,
        (false, true) => COLD,
        _ => DAMAGED,
    }
}

/// The message with what to do, where it does not say so yet.
fn advised(message: String, kind: &str, engine: Option<HotEngine>) -> String {
    let advice = match kind {
        "disk-full" => "free space on the store's disk and try again",
        "damaged" => against_damage(&message, engine),
        "missing" => "importing an archive that has it mends the store; nothing was deleted",
        _ => return message,
    };
    let says_so = ["free space", "restore it", "no block is lost", "import the chain"]
        .iter()
        .any(|way| message.contains(way));
    if says_so { message } else { format!("{message}; {advice}") }
}

/// The code and a word for machines.
fn classify(error: &Error) -> (u8, &'static str) {
    let found = error.chain().find_map(|cause| {
        let folder = cause.downcast_ref().and_then(of_folder);
        let import = || cause.downcast_ref().and_then(of_import);
        let export = || cause.downcast_ref().and_then(of_export);
        let store = || cause.downcast_ref().and_then(of_store);
        let port = || cause.downcast_ref().map(of_port);
        let lost = || cause.downcast_ref().map(of_head);
        let missing = || cause.is::<NotFound>().then_some((WRONG, "not-found"));
        let usage = || cause.is::<BadUsage>().then_some((BAD_INPUT, "usage"));
        let full = || cause.downcast_ref().and_then(of_system);
        let ours = folder.or_else(import).or_else(export).or_else(store).or_else(port);
        ours.or_else(lost).or_else(missing).or_else(usage).or_else(full)
    });
    found.unwrap_or((BAD_INPUT, "failed"))
}

/// What is decided by a cause further down is `None`.
fn of_folder(error: &FolderError) -> Option<(u8, &'static str)> {
    let kind = match error {
        FolderError::Missing { .. } => "no-store",
        FolderError::HalfMade { .. } => "half-made-store",
        FolderError::Foreign { .. } => "not-a-store",
        FolderError::MissingPart { .. } => "missing-part",
        FolderError::Exists { .. } => "store-exists",
        FolderError::NotAFolder { .. } => "not-a-folder",
        FolderError::Symlink { .. } => "symbolic-link",
        FolderError::Locked { .. } => "locked",
        FolderError::ReadOnly { .. } => "read-only",
        FolderError::Full { .. } => "disk-full",
        FolderError::TooNew { .. } => "too-new",
        FolderError::BadSettings { .. }
        | FolderError::BadWindows { .. }
        | FolderError::OtherEngine { .. } => "bad-settings",
        FolderError::NotBuilt { .. } => "not-built",
        FolderError::NoRepair { .. } => "no-repair",
        FolderError::Unfinished { .. } => "unfinished",
        FolderError::Interfered { .. } => "interfered",
        FolderError::OwnDisk { .. } => "own-disk",
        FolderError::InTheWay { .. } => "in-the-way",
        FolderError::Kept { source, .. } => return of_folder(source),
        _ => return None,
    };
    Some((BAD_INPUT, kind))
}

/// The head of a store that has lost it.
fn of_head(lost: &LostHead) -> (u8, &'static str) {
    (WRONG, if lost.source.is_some() { "damaged" } else { "missing" })
}

/// A disk that is full, wherever that was found out.
fn of_system(error: &std::io::Error) -> Option<(u8, &'static str)> {
    (error.kind() == std::io::ErrorKind::StorageFull).then_some((BAD_INPUT, "disk-full"))
}

fn of_import(error: &ImportError) -> Option<(u8, &'static str)> {
    let kind = match error {
        ImportError::Open { .. } | ImportError::NotAFile { .. } => "no-archive",
        ImportError::Changed { .. } => "archive-changed",
        ImportError::BrokenChain { .. } => "broken-chain",
        ImportError::OtherGenesis { .. } | ImportError::UnknownGenesis { .. } => "other-chain",
        ImportError::NoSpace { .. } => "disk-full",
        ImportError::Interrupted { .. } => return Some((INTERRUPTED, "interrupted")),
        ImportError::Store { .. } => return None,
        _ => "bad-archive",
    };
    Some((BAD_INPUT, kind))
}

fn of_export(error: &ExportError) -> Option<(u8, &'static str)> {
    match error {
        ExportError::NoTipset { .. } => Some((WRONG, "not-found")),
        ExportError::NoHead { .. } => Some((BAD_INPUT, "no-head")),
        ExportError::InsideStore { .. } => Some((BAD_INPUT, "inside-store")),
        ExportError::NotATipset { .. } => Some((BAD_INPUT, "not-a-tipset")),
        ExportError::File { .. } | ExportError::Archive { .. } => Some((BAD_INPUT, "no-archive")),
        _ => None,
    }
}

fn of_store(error: &splitstore::Error) -> Option<(u8, &'static str)> {
    use splitstore::Error;
    match error {
        Error::MissingLive { .. } | Error::NoTipset { .. } => Some((WRONG, "missing")),
        Error::Malformed { .. } | Error::Damaged { .. } | Error::DamagedFile { .. } => {
            Some((WRONG, "damaged"))
        }
        Error::NoHead | Error::NotStarted => Some((BAD_INPUT, "no-head")),
        Error::NoSpace { .. } => Some((BAD_INPUT, "disk-full")),
        Error::Busy | Error::StillRunning(_) => Some((BAD_INPUT, "busy")),
        Error::Stopped(_) => Some((INTERRUPTED, "interrupted")),
        // It stands for its cause and hides it from the chain.
        Error::Port(error) => Some(of_port(error)),
        _ => None,
    }
}

fn of_port(error: &PortError) -> (u8, &'static str) {
    match error.kind() {
        ErrorKind::Corrupt => (WRONG, "damaged"),
        ErrorKind::Full => (BAD_INPUT, "disk-full"),
        ErrorKind::Locked => (BAD_INPUT, "locked"),
        ErrorKind::TooNew => (BAD_INPUT, "too-new"),
        ErrorKind::Interrupted => (INTERRUPTED, "interrupted"),
        _ => (BAD_INPUT, "failed"),
    }
}
