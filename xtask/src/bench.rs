//! The benches. A small run is for a look: less data and criterion's short schedule.
//!
//! ```text
//!   instructions   valgrind --tool=callgrind, told to count inside of one function only: nothing else of the
//!                  process is in the figure, and no other process can disturb it
//!   compare        a program of its own, which starts itself once for each measurement
//! ```

use crate::{
    args::Bench,
    native::{self, NativeEnv},
    process::Task,
    workspace::Workspace,
};
use anyhow::{Context, Result};

pub(crate) fn run(workspace: &Workspace, what: Bench, rest: &[String]) -> Result<()> {
    let vars = native::prepare(workspace)?;
    match what {
        // Nothing of the stores is set up for a filter that means none of them.
        Bench::Full if rest.first().is_some_and(|filter| filter.starts_with("tsm")) => {
            tsm(workspace, &vars).args(rest).run()
        }
        Bench::Full => criterion(workspace, &vars).args(rest).run(),
        Bench::Tsm => tsm(workspace, &vars).args(rest).run(),
        Bench::Small => {
            let small = criterion(workspace, &vars).args(["--quick"]).env("SPLITSTORE_BENCH_SIZE", "small");
            small.args(rest).run()
        }
        Bench::Hits => hits(workspace, &vars, "run").args(["--", "pairs"]).args(rest).run(),
        Bench::Instructions => instructions(workspace, &vars),
        Bench::Compare => compare(workspace, &vars, rest),
    }
}

/// Stores are kept below the target folder, on whose disk there is room for what is built.
fn compare(workspace: &Workspace, vars: &NativeEnv, rest: &[String]) -> Result<()> {
    let (cache, docs) = (workspace.target.join("compare"), workspace.root.join("docs"));
    workspace
        .cargo(["run", "--release", "--locked", "-p", "splitstore-benches", "--bin", "compare", "--", "run"])
        .args(["--cache", &cache.to_string_lossy(), "--docs", &docs.to_string_lossy()])
        .args(rest)
        .envs(vars)
        .run()
}

fn criterion(workspace: &Workspace, vars: &NativeEnv) -> Task {
    workspace.cargo(["bench", "--locked", "-p", "splitstore-benches", "--bench", "*", "--"]).envs(vars)
}

fn tsm(workspace: &Workspace, vars: &NativeEnv) -> Task {
    let benches = ["--bench", "tsm_codecs", "--bench", "tsm_merge", "--"];
    workspace.cargo(["bench", "--locked", "-p", "splitstore-benches"]).args(benches).envs(vars)
}

fn hits(workspace: &Workspace, vars: &NativeEnv, act: &str) -> Task {
    workspace.cargo([act, "--release", "--locked", "-p", "splitstore-benches", "--bin", "hits"]).envs(vars)
}

fn instructions(workspace: &Workspace, vars: &NativeEnv) -> Result<()> {
    hits(workspace, vars, "build").run()?;
    let program = workspace.built("release/hits");
    for who in ["engine", "store"] {
        let inside = format!("--toggle-collect=*counted_{who}*");
        let mut said = Vec::new();
        Task::new("valgrind", "valgrind")
            .args([
                "--tool=callgrind",
                "--callgrind-out-file=/dev/null",
                "--log-fd=1",
                "--collect-atstart=no",
            ])
            .args([inside.as_str(), &program.to_string_lossy(), "count", who])
            .lines(|line| said.push(line.to_string()))?;
        let counted = said.iter().find_map(|line| collected(line)).context("valgrind counted nothing")?;
        let hits = said.iter().find_map(|line| hit_count(line)).context("no hits were counted")?;
        println!("{who:<8} {:>8} instructions a hit, {hits} hits", counted / hits.max(1));
    }
    Ok(())
}

/// The number in `==123== Collected : 456`.
fn collected(line: &str) -> Option<u64> {
    let (_, count) = line.split_once("Collected : ")?;
    count.trim().parse().ok()
}

/// The number in `1240 hits, 392201 bytes`.
fn hit_count(line: &str) -> Option<u64> {
    line.split_once(" hits, ")?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_from_what_callgrind_says() {
        assert_eq!(collected("==17== Collected : 123456"), Some(123_456));
        assert_eq!(collected("==17== Events    : Ir"), None);
        assert_eq!(hit_count("1240 hits, 392201 bytes"), Some(1240));
        assert_eq!(hit_count("keep            1240"), None);
    }
}
