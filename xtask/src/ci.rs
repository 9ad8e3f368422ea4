//! What the server runs. Every step runs even when one before it failed, so that one run tells all.

use crate::{
    args::{Kills, Mutants, Scope},
    fuzz, mutants, native,
    process::timed,
    sim, stress, test, tidy,
    workspace::Workspace,
};
use anyhow::{Result, ensure};
use std::time::Duration;

/// Seeds of the simulator; `cargo xtask sim --seeds 10000` is the whole of it.
const SEEDS: &str = "1000";
/// Seeded bugs, in turn; `cargo xtask mutants` plants all.
const MUTANTS: u64 = 5;
/// Kills, and power cuts; `cargo xtask crash --runs 200` and `powercut --runs 500` are the whole of it.
const KILLS: u64 = 10;

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let mut board = Board::default();
    let mut tally = None;
    board.step("fmt", || workspace.cargo(["fmt", "--all", "--", "--check"]).run());
    board.step("tidy", || tidy::run(workspace));
    board.step("fuzz", || fuzz::in_ci(workspace));
    if let Some(vars) = board.step("native set-up", || native::prepare(workspace)) {
        let cargo = |args: &'static str| workspace.cargo(args.split(' ')).envs(&vars);
        board.step("clippy", || cargo("clippy --workspace --all-targets --locked -- -D warnings").run());
        board.step("docs", || {
            cargo("doc --workspace --no-deps --locked").env("RUSTDOCFLAGS", "-D warnings").run()
        });
        board.step("test", || {
            let (counted, outcome) = test::counted(workspace, Scope::All, &[], &vars);
            tally = Some(counted);
            outcome
        });
        board.step("sim", || sim::run(workspace, &["--seeds".into(), SEEDS.into()]));
        let turn = Mutants { rotate: Some(MUTANTS), ..Mutants::default() };
        // An exported tree has no last commit to plant them in.
        if workspace.root.join(".git").exists() {
            board.step("mutants", || mutants::run(workspace, &turn));
        }
        board.step("crash", || stress::crash(workspace, Kills { runs: KILLS, seed: None }));
        board.step("powercut", || stress::powercut(workspace, Kills { runs: KILLS, seed: None }));
    }
    print!("\n{}", board.table());
    if let Some(tally) = tally {
        println!("{tally}");
    }
    ensure!(board.failed() == 0, "{} of {} steps failed", board.failed(), board.steps.len());
    Ok(())
}

/// Steps in the order they ran.
#[derive(Default)]
struct Board {
    steps: Vec<Step>,
}

struct Step {
    name: &'static str,
    verdict: &'static str,
    took: Duration,
}

impl Board {
    fn step<T>(&mut self, name: &'static str, work: impl FnOnce() -> Result<T>) -> Option<T> {
        eprintln!("\n== {name}");
        let (outcome, took) = timed(work);
        let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
        self.steps.push(Step { name, verdict, took });
        outcome.inspect_err(|error| eprintln!("\n{name}: {error:#}")).ok()
    }

    fn failed(&self) -> usize {
        self.steps.iter().filter(|step| step.verdict != "ok").count()
    }

    fn table(&self) -> String {
        let row = |step: &Step| {
            format!("{:<14} {:<7} {:>8.1} s\n", step.name, step.verdict, step.took.as_secs_f64())
        };
        self.steps.iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn a_failed_step_stands_in_the_table_and_the_next_one_runs() {
        let mut board = Board::default();
        assert_eq!(board.step::<()>("first", || Err(anyhow!("broken"))), None);
        assert_eq!(board.step("second", || Ok(2)), Some(2));
        assert_eq!(board.failed(), 1);
        let table = board.table();
        let verdicts: Vec<_> = table.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
        assert_eq!(verdicts, ["FAILED", "ok"]);
    }
}
