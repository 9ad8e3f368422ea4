//! Seeded bugs: each patch below `fixtures/mutants` breaks one law, and one tool must notice.
//!
//! ```text
//!   HEAD -> <target>/mutants/tree     a copy; only files that differ are written again
//!     per mutant: apply, build what the tool needs, run it within its budget, take the patch back
//!   no patch: applies? compiles? caught?   any no fails the command
//! ```
//! A mutant that lives means that a workload is missing.

mod patch;
mod rotation;
mod scratch;
mod tool;

use crate::{args::Mutants, native, process::timed, workspace::Workspace};
use anyhow::{Context, Result, ensure};
use patch::Patch;
use scratch::Scratch;
use std::{fmt, time::Duration};
use tool::{Tool, Verdict};

pub(crate) fn run(workspace: &Workspace, orders: &Mutants) -> Result<()> {
    let all = Patch::all(&workspace.root)?;
    let chosen = chosen(&all, workspace, orders)?;
    let scratch = Scratch::fill(workspace)?;
    let vars = if chosen.iter().any(|patch| patch.tool.needs_native()) {
        native::prepare(workspace)?
    } else {
        native::NativeEnv::new()
    };
    let mut rows = Vec::with_capacity(chosen.len());
    for patch in chosen {
        let (outcome, took) = timed(|| try_one(&scratch, patch, &vars));
        let row = Row { patch, outcome, took };
        eprintln!("{row}");
        rows.push(row);
    }
    println!("\n{HEADING}");
    for row in &rows {
        println!("{row}");
    }
    let bad = rows.iter().filter(|row| !matches!(row.outcome, Ok(Verdict::Caught(_)))).count();
    ensure!(bad == 0, "{bad} of {} mutants were not caught", rows.len());
    println!("\n{} mutants, all caught", rows.len());
    Ok(())
}

fn chosen<'a>(all: &'a [Patch], workspace: &Workspace, orders: &Mutants) -> Result<Vec<&'a Patch>> {
    if let Some(name) = &orders.only {
        let found = all.iter().find(|patch| patch.name == *name);
        return Ok(vec![found.with_context(|| format!("no mutant `{name}` in {}", patch::FOLDER))?]);
    }
    let Some(count) = orders.rotate else { return Ok(all.iter().collect()) };
    let seed = match orders.seed {
        Some(seed) => seed,
        None => scratch::number_of_commit(workspace)?,
    };
    Ok(rotation::turn(all, count, seed))
}

fn try_one(scratch: &Scratch, patch: &Patch, vars: &native::NativeEnv) -> Result<Verdict> {
    scratch.apply(&patch.path).with_context(|| format!("`{}` does not apply any more", patch.name))?;
    let verdict = patch.tool.hunt(scratch, vars);
    scratch.restore()?;
    verdict.with_context(|| format!("`{}`", patch.name))
}

const HEADING: &str = "| mutant | law | tool | caught | time |\n|---|---|---|---|---|";

struct Row<'a> {
    patch: &'a Patch,
    outcome: Result<Verdict>,
    took: Duration,
}

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Patch { name, breaks, law, tool, .. } = self.patch;
        write!(f, "| `{name}`: {breaks} | {law} | {tool} | ")?;
        match &self.outcome {
            Ok(Verdict::Caught(how)) => write!(f, "{how}")?,
            Ok(Verdict::Lives) => write!(f, "**LIVES**")?,
            Err(error) => write!(f, "**ERROR** {error:#}")?,
        }
        write!(f, " | {} s |", self.took.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_what_lives_and_what_went_wrong() {
        let patch = Patch::planted("no-sync", Tool::Sim { seeds: 9 });
        let row = |outcome| Row { patch: &patch, outcome, took: Duration::from_secs(2) }.to_string();
        assert_eq!(
            row(Ok(Verdict::Caught("seed 3".into()))),
            "| `no-sync`: a law | 1 | sim 9 | seed 3 | 2 s |"
        );
        assert!(row(Ok(Verdict::Lives)).contains("| **LIVES** |"));
        assert!(row(Err(anyhow::anyhow!("it does not apply"))).contains("**ERROR** it does not apply"));
    }
}
