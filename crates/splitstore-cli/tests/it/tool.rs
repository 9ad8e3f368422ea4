//! Runs the binary on a store in a temporary folder.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use splitstore::folder::HotEngine;
use tempfile::TempDir;

/// A store's folder, not yet made, in a temporary folder of its own.
pub(crate) struct Tool {
    pub(crate) dir: TempDir,
}

/// What a run of the binary came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

/// The hot engines of this build.
pub(crate) fn engines() -> impl Iterator<Item = HotEngine> {
    HotEngine::ALL.iter().copied().filter(|engine| engine.is_built())
}

/// The binary, with no settings from outside.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_splitstore"));
    let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SPLITSTORE_"));
    for (name, _) in ours {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG");
    command
}

impl Tool {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// A new store on the engine that is quickest to open.
    pub(crate) fn with_store(flags: &str) -> Self {
        let tool = Self::new();
        let engine = engines().last().unwrap();
        tool.ok(&format!("init --hot {engine} {flags}"));
        tool
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs a command line of words without spaces.
    pub(crate) fn run(&self, line: &str) -> Ran {
        self.run_words(line.split_whitespace())
    }

    /// The same with a path at its end.
    pub(crate) fn run_on(&self, line: &str, path: &Path) -> Ran {
        self.run_words(line.split_whitespace().map(OsStr::new).chain([path.as_os_str()]))
    }

    fn run_words(&self, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Ran {
        let output = command().arg("--store").arg(self.store()).args(words).output().unwrap();
        Ran {
            code: output.status.code().expect("it ends by itself"),
            out: output.stdout,
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs what must succeed; its standard output.
    pub(crate) fn ok(&self, line: &str) -> String {
        self.run(line).done()
    }

    /// The same with a path at its end.
    pub(crate) fn ok_on(&self, line: &str, path: &Path) -> String {
        self.run_on(line, path).done()
    }

    /// Runs what must succeed, as JSON.
    pub(crate) fn json(&self, line: &str) -> Value {
        self.run(&format!("--json {line}")).done_json()
    }

    pub(crate) fn keys(&self, tier: &str) -> BTreeSet<String> {
        self.ok(&format!("keys --tier {tier}")).lines().map(str::to_owned).collect()
    }
}

impl Ran {
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code, 0, "{}", self.err);
        String::from_utf8(self.out).unwrap()
    }

    pub(crate) fn done_json(self) -> Value {
        assert_eq!(self.code, 0, "{}", self.err);
        self.object()
    }

    /// Standard output, which must be one JSON object in one line.
    pub(crate) fn object(&self) -> Value {
        let text = std::str::from_utf8(&self.out).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        let value: Value = serde_json::from_str(text).unwrap();
        assert!(value.is_object(), "{value}");
        value
    }

    /// It ended with this code, and its message holds all of these.
    pub(crate) fn refused(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, code, "{}", self.err);
        // Before it may stand progress, on a slow machine.
        assert!(self.err.lines().any(|line| line.starts_with("error: ")), "{}", self.err);
        for part in parts {
            assert!(self.err.contains(part), "{part:?} not in {}", self.err);
        }
        assert!(self.out.is_empty(), "nothing is printed as a result");
    }
}
