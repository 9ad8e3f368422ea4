//! A folder to work in, and the tool run there.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use flate2::read::GzDecoder;
use tempfile::TempDir;

#[path = "../../../segment-compaction/tests/it/real.rs"]
mod real_data;

/// The key of field `f` of measurement `m`.
pub(crate) const KEY: &str = "m#!~#f";

pub(crate) struct Bench {
    folder: TempDir,
}

/// How a run ended.
pub(crate) struct Ended {
    output: Output,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ended {
        let output = self.command().args(args).output().unwrap();
        Ended { output }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tsm"));
        command.current_dir(self.folder.path());
        command
    }

    /// Lines through standard input.
    pub(crate) fn import(&self, into: &str, lines: &str) {
        self.piped(["import", "-", "--into", into], lines).ok();
    }

    pub(crate) fn piped<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>, lines: &str) -> Ended {
        let mut command = self.command();
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        // It may have ended already, having said what is wrong.
        let _ = child.stdin.take().unwrap().write_all(lines.as_bytes());
        Ended { output: child.wait_with_output().unwrap() }
    }

    /// Turns a bit of a file.
    pub(crate) fn damage(&self, file: &str, byte: usize) {
        let path = self.path(file);
        let mut bytes = fs::read(&path).unwrap();
        bytes[byte] ^= 1;
        fs::write(path, bytes).unwrap();
    }

    /// Names in a folder, sorted.
    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path(folder)) else { return Vec::new() };
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Unpacks a real file; `false`, said on the terminal, where there is no real data. In CI that fails.
    pub(crate) fn real(&self, name: &str, real: &str) -> bool {
        let Some(packed) = real_data::path(real).map(|path| fs::read(path).unwrap()) else { return false };
        let mut bytes = Vec::new();
        GzDecoder::new(packed.as_slice()).read_to_end(&mut bytes).unwrap();
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        true
    }
}

impl Ended {
    /// What it printed, if it ended well.
    pub(crate) fn ok(&self) -> String {
        self.code_out(0)
    }

    /// What it printed on either output, if it ended so.
    pub(crate) fn code(&self, code: i32) -> String {
        self.code_out(code) + &String::from_utf8_lossy(&self.output.stderr)
    }

    /// What it printed on standard output, if it ended so.
    pub(crate) fn code_out(&self, code: i32) -> String {
        let Output { stdout, stderr, status } = &self.output;
        assert_eq!(status.code(), Some(code), "{}", String::from_utf8_lossy(stderr));
        String::from_utf8_lossy(stdout).into_owned()
    }
}
