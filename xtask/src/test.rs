//! All tests of the workspace, and their sum.

use crate::{
    args::Scope,
    native::{self, NativeEnv},
    workspace::Workspace,
};
use anyhow::Result;
use std::fmt;

/// A quick run: all but the crates that link C++, then the facade without its RocksDB feature.
const QUICK: &[&str] = &[
    "--workspace --exclude splitstore-rocksdb --exclude splitstore-cli --exclude splitstore-benches \
     --exclude splitstore-stress --exclude splitstore-faultfs --exclude splitstore",
    "--package splitstore --no-default-features --features fjall",
];

/// Tests of all binaries and doctests together.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Tally {
    /// Adds a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; ...`.
    fn add(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for (number, what) in counts.split("; ").filter_map(|part| part.split_once(' ')) {
            let number = number.parse().unwrap_or(0);
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.ignored > 0 { write!(f, ", {} ignored", self.ignored) } else { Ok(()) }
    }
}

pub(crate) fn run(workspace: &Workspace, scope: Scope, rest: &[String]) -> Result<()> {
    let vars = match scope {
        Scope::All => native::prepare(workspace)?,
        Scope::Quick => NativeEnv::new(),
    };
    let (tally, outcome) = counted(workspace, scope, rest, &vars);
    println!("\n{tally}");
    outcome
}

/// Runs the tests and counts them, also when some fail.
pub(crate) fn counted(
    workspace: &Workspace,
    scope: Scope,
    rest: &[String],
    vars: &NativeEnv,
) -> (Tally, Result<()>) {
    let mut tally = Tally::default();
    let mut run = |selection: &str| {
        let task = workspace.cargo(arguments(selection, rest)).env("INSTA_UPDATE", "no").envs(vars);
        task.lines(|line| {
            println!("{line}");
            tally.add(line);
        })
    };
    // Both selections run, also when the first one fails.
    let outcomes: Vec<_> = selections(scope).iter().map(|selection| run(selection)).collect();
    (tally, outcomes.into_iter().collect())
}

fn selections(scope: Scope) -> &'static [&'static str] {
    match scope {
        Scope::All => &["--workspace"],
        Scope::Quick => QUICK,
    }
}

fn arguments<'a>(selection: &'a str, rest: &'a [String]) -> impl Iterator<Item = &'a str> {
    let dashes = (!rest.is_empty()).then_some("--");
    let words = ["test", "--locked", "--no-fail-fast"].into_iter().chain(selection.split_whitespace());
    words.chain(dashes).chain(rest.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_all_binaries_add_up() {
        let mut tally = Tally::default();
        tally.add(
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.02s",
        );
        tally.add(
            "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s",
        );
        tally.add("test a_name ... ok");
        assert_eq!(tally.to_string(), "14 passed, 1 failed, 1 ignored");
    }

    #[test]
    fn a_filter_follows_the_double_dash() {
        let line = |rest: &[String]| arguments("--workspace", rest).collect::<Vec<_>>().join(" ");
        assert_eq!(line(&[]), "test --locked --no-fail-fast --workspace");
        assert_eq!(line(&["purge".to_string()]), "test --locked --no-fail-fast --workspace -- purge");
    }

    #[test]
    fn a_quick_run_takes_the_facade_without_cpp() {
        let [rest, facade] = QUICK else { panic!("two selections") };
        assert!(rest.split_whitespace().any(|word| word == "splitstore-rocksdb"), "{rest}");
        assert!(facade.contains("--package splitstore --no-default-features"), "{facade}");
    }
}
