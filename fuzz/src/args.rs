//! The command line.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::targets::{self, Target};

/// What to run.
pub(crate) struct Args {
    /// Which targets; all, unless some are named.
    pub(crate) targets: Vec<&'static Target>,
    /// For how long, each.
    pub(crate) seconds: u64,
    /// Of all choices.
    pub(crate) seed: u64,
    /// One input instead.
    pub(crate) replay: Option<PathBuf>,
}

impl Args {
    pub(crate) fn parse(args: impl IntoIterator<Item = String>) -> Result<Self> {
        let mut parsed = Self { targets: Vec::new(), seconds: 30, seed: 1, replay: None };
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().with_context(|| format!("{arg} takes a value"));
            match arg.as_str() {
                "--smoke" => parsed.seconds = 30,
                "--seconds" => parsed.seconds = value()?.parse().context("--seconds takes a number")?,
                "--seed" => parsed.seed = value()?.parse().context("--seed takes a number")?,
                "--replay" => parsed.replay = Some(value()?.into()),
                name => parsed.targets.push(target(name)?),
            }
        }
        if parsed.targets.is_empty() {
            parsed.targets = targets::ALL.iter().collect();
        }
        Ok(parsed)
    }
}

fn target(name: &str) -> Result<&'static Target> {
    let names = || targets::ALL.map(|target| target.name).join(", ");
    match targets::ALL.iter().find(|target| target.name == name) {
        Some(target) => Ok(target),
        None => bail!("no target or option `{name}`; targets are {}", names()),
    }
}
