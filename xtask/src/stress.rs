//! Real stores killed and soaked, by the program of `crates/splitstore-stress`.

use crate::{
    args::{Kills, Soak},
    native,
    workspace::Workspace,
};
use anyhow::Result;

pub(crate) fn crash(workspace: &Workspace, kills: Kills) -> Result<()> {
    run(workspace, &words("crash", kills))
}

pub(crate) fn powercut(workspace: &Workspace, kills: Kills) -> Result<()> {
    run(workspace, &words("powercut", kills))
}

pub(crate) fn soak(workspace: &Workspace, soak: Soak) -> Result<()> {
    run(workspace, &["soak".into(), "--minutes".into(), soak.minutes.to_string()])
}

/// `figures` or `rot`, with their own options.
pub(crate) fn other(workspace: &Workspace, name: &str, rest: &[String]) -> Result<()> {
    run(workspace, &[&[name.into()], rest].concat())
}

fn run(workspace: &Workspace, words: &[String]) -> Result<()> {
    let vars = native::prepare(workspace)?;
    workspace
        .cargo(["run", "--locked", "-p", "splitstore-stress", "--bin", "stress", "--"])
        .args(words)
        .envs(&vars)
        .run()
}

fn words(command: &str, Kills { runs, seed }: Kills) -> Vec<String> {
    let mut words: Vec<String> = vec![command.into(), "--runs".into(), runs.to_string()];
    words.extend(seed.into_iter().flat_map(|seed| ["--seed".into(), seed.to_string()]));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_handed_on_only_if_there_is_one() {
        let line = |seed| words("crash", Kills { runs: 10, seed }).join(" ");
        assert_eq!(line(None), "crash --runs 10");
        assert_eq!(line(Some(3)), "crash --runs 10 --seed 3");
    }
}
