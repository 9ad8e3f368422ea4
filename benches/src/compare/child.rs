//! A probe in a process of its own: what it needs, and how it tells what it measured.
//!
//! ```text
//!   parent:  compare probe NAME --store DIR --scratch DIR       child:  "seconds 2.41\nlive 3912001\n" on stdout
//! ```

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use splitstore_files::SystemClock;
use tempfile::TempDir;

use super::catalogue::Probe;
use super::stored::Stored;
use crate::compose::hot_path;
use crate::probes::files;

/// What a probe measured, by name.
pub(crate) type Gauges = Vec<(&'static str, f64)>;

/// Where a probe works.
pub(crate) struct Site {
    pub(crate) stored: Stored,
    pub(crate) clock: SystemClock,
    scratch: PathBuf,
}

impl Site {
    pub(crate) fn new(store: &Path, scratch: &Path) -> Result<Self> {
        Ok(Self { stored: Stored::at(store)?, clock: SystemClock::new(), scratch: scratch.to_path_buf() })
    }

    /// A new folder beside the store, on the same disk.
    pub(crate) fn fresh(&self) -> Result<TempDir> {
        Ok(tempfile::tempdir_in(&self.scratch)?)
    }

    /// A copy of the store.
    pub(crate) fn copy(&self) -> Result<TempDir> {
        let folder = self.fresh()?;
        self.stored.copy_to(folder.path())?;
        Ok(folder)
    }

    /// A copy for a probe that rids it of files: none of them is shared, so that what it deletes gives its pages back, as in any
    /// store but ours of hard links.
    pub(crate) fn copy_apart(&self) -> Result<TempDir> {
        let folder = self.copy()?;
        for files in [hot_path(folder.path()), folder.path().join("links")] {
            files::each(&files, take_apart)?;
        }
        Ok(folder)
    }
}

/// Makes a file of several names its own, durably, so that nobody writes it beside the measurement.
fn take_apart(path: &Path) -> Result<()> {
    let apart = path.with_extension("apart");
    std::fs::copy(path, &apart)?;
    std::fs::File::open(&apart)?.sync_all()?;
    Ok(std::fs::rename(&apart, path)?)
}

/// The child: measures and prints.
pub fn probe(name: &str, store: &Path, scratch: &Path) -> Result<()> {
    let run = Probe::named(name)?.run.with_context(|| format!("{name} is not built"))?;
    for (gauge, value) in run(&Site::new(store, scratch)?)? {
        println!("{gauge} {value}");
    }
    Ok(())
}

/// The parent: starts the child and reads what it prints.
pub(super) fn measure(probe: &Probe, store: &Path, scratch: &Path) -> Result<Vec<(String, f64)>> {
    let program = std::env::current_exe().context("find this program")?;
    let mut child = Command::new(program);
    child.args(["probe", probe.name, "--store"]).arg(store).arg("--scratch").arg(scratch);
    let output = child.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "{} ended with {}", probe.name, output.status);
    let text = String::from_utf8(output.stdout)?;
    text.lines().map(|line| parse(line).with_context(|| format!("{} said `{line}`", probe.name))).collect()
}

fn parse(line: &str) -> Result<(String, f64)> {
    let (gauge, value) = line.split_once(' ').context("no name and value")?;
    Ok((gauge.into(), value.parse()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_taken_apart_is_the_same_and_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = ["1.sst", "2.sst"].map(|name| folder.path().join(name));
        std::fs::write(&one, b"table").unwrap();
        std::fs::hard_link(&one, &other).unwrap();
        take_apart(&other).unwrap();
        std::fs::write(&other, b"other").unwrap();
        assert_eq!(std::fs::read(&one).unwrap(), b"table");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_line_is_a_name_and_a_number() {
        assert_eq!(parse("seconds 2.5").unwrap(), ("seconds".into(), 2.5));
        assert!(parse("seconds").is_err());
        assert!(parse("seconds many").is_err());
    }
}
