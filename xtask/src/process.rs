//! Children: each is echoed as a line one can paste, and a failure says which line it was.

use anyhow::{Context, Result, bail, ensure};
use std::{
    ffi::{OsStr, OsString},
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

pub(crate) struct Task {
    command: Command,
    shown: String,
}

/// How a child ended that may fail, and what it printed, standard output first.
pub(crate) struct Ended {
    pub(crate) good: bool,
    pub(crate) text: String,
}

impl Task {
    /// A program, and the name it is echoed by.
    pub(crate) fn new(shown: &str, program: impl AsRef<OsStr>) -> Self {
        Self { command: Command::new(program), shown: shown.to_string() }
    }

    pub(crate) fn args<S: AsRef<str>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        for arg in args {
            self.shown = format!("{} {}", self.shown, quoted(arg.as_ref()));
            self.command.arg(arg.as_ref());
        }
        self
    }

    pub(crate) fn folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.shown = format!("{name}={} {}", quoted(&value.as_ref().to_string_lossy()), self.shown);
        self.quiet_env(name, value)
    }

    pub(crate) fn envs(self, pairs: &[(&'static str, OsString)]) -> Self {
        pairs.iter().fold(self, |task, (name, value)| task.env(name, value))
    }

    /// Sets a variable that would only clutter the echo.
    pub(crate) fn quiet_env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn run(mut self) -> Result<()> {
        self.echo();
        let status = self.command.status().with_context(|| format!("start `{}`", self.shown))?;
        self.judge(status)
    }

    /// Runs without echo and returns what it printed.
    pub(crate) fn output(mut self) -> Result<String> {
        let output = self
            .command
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("start `{}`", self.shown))?;
        self.judge(output.status)?;
        String::from_utf8(output.stdout).with_context(|| format!("read what `{}` printed", self.shown))
    }

    /// Runs and shows every line of standard output to `each` as it comes.
    pub(crate) fn lines(mut self, mut each: impl FnMut(&str)) -> Result<()> {
        self.echo();
        let mut child =
            self.command.stdout(Stdio::piped()).spawn().with_context(|| format!("start `{}`", self.shown))?;
        if let Some(pipe) = child.stdout.take() {
            let mut pipe = BufReader::new(pipe);
            let mut line = Vec::new();
            // Bytes, not lines of text: a test may print anything.
            while pipe.read_until(b'\n', &mut line)? > 0 {
                each(String::from_utf8_lossy(&line).trim_end_matches('\n'));
                line.clear();
            }
        }
        self.judge(child.wait()?)
    }

    /// Runs a child that may fail; one that takes longer than `limit` is killed, and an error.
    pub(crate) fn within(mut self, limit: Duration) -> Result<Ended> {
        self.echo();
        let command = self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("start `{}`", self.shown))?;
        let (out, err) = (heard(child.stdout.take()), heard(child.stderr.take()));
        let both = out.recv_timeout(limit).and_then(|out| Ok(out + &err.recv_timeout(limit)?));
        let Ok(text) = both else {
            // It may have ended this moment; then there is nothing to kill.
            let _ = child.kill();
            child.wait()?;
            bail!("`{}` took longer than {} s", self.shown, limit.as_secs());
        };
        Ok(Ended { good: child.wait()?.success(), text })
    }

    fn echo(&self) {
        let mut err = std::io::stderr().lock();
        // A closed standard error is no reason to stop.
        let _ = writeln!(err, "\n$ {}", self.shown).and_then(|()| err.flush());
    }

    fn judge(&self, status: ExitStatus) -> Result<()> {
        ensure!(status.success(), "`{}` failed: {status}", self.shown);
        Ok(())
    }
}

/// Everything that comes out of a pipe, once it is closed.
fn heard(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before a pipe broke is all that there is to show.
        let _ = pipe.map(|mut pipe| pipe.read_to_end(&mut bytes));
        // Nobody listens any more to a child that took too long.
        let _ = send.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receive
}

/// Quotes what a shell would split.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:+,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into() } else { format!("'{word}'") }
}

/// Wall-clock time of `work`, for the reader of a log.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    #[expect(clippy::disallowed_methods, reason = "the Clock port is for the store; this times a build")]
    let start = Instant::now();
    (work(), start.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_child_is_named_with_its_arguments() {
        let error = Task::new("sh", "sh").args(["-c", "exit 7"]).env("A", "b c").run().unwrap_err();
        assert_eq!(error.to_string(), "`A='b c' sh -c 'exit 7'` failed: exit status: 7");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = Task::new("frobnicate", "frobnicate-is-not-there").output().unwrap_err();
        assert_eq!(error.to_string(), "start `frobnicate`");
    }

    #[test]
    fn a_child_that_may_fail_is_heard_and_one_that_hangs_is_killed() {
        let sh = |script| Task::new("sh", "sh").args(["-c", script]);
        let ended = sh("echo out; echo err >&2; exit 3").within(Duration::from_secs(60)).unwrap();
        assert_eq!((ended.good, ended.text.as_str()), (false, "out\nerr\n"));
        let hangs = sh("exec sleep 60").within(Duration::from_millis(50)).map(|_| ()).unwrap_err();
        assert!(hangs.to_string().contains("took longer than"), "{hangs}");
    }

    #[test]
    fn lines_come_one_by_one_also_when_they_are_not_text() {
        let mut seen = Vec::new();
        Task::new("printf", "printf")
            .args(["a\\n\\377\\nlast"])
            .lines(|line| seen.push(line.to_string()))
            .unwrap();
        assert_eq!(seen, ["a", "\u{fffd}", "last"]);
    }
}
