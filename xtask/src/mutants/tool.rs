//! What hunts mutants: the simulator, the interleaving model, the runners that kill and that cut the power. Each says
//! how far it came.

use super::Scratch;
use crate::{native::NativeEnv, process::Ended};
use anyhow::{Context, Result, bail, ensure};
use std::{fmt, time::Duration};

/// No tool takes longer than this within its budget; a mutant that makes one hang is an error.
const LIMIT: Duration = Duration::from_secs(300);
/// The last lines of a tool that are shown when it ends in no way that is known.
const SHOWN: usize = 15;

/// A tool and its budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    /// So many seeds of the simulator.
    Sim { seeds: u64 },
    /// All interleavings of the model.
    Model,
    /// So many kills of the crash runner.
    Crash { runs: u64 },
    /// So many power cuts.
    Powercut { runs: u64 },
}

/// Whether a mutant was noticed.
pub(super) enum Verdict {
    /// It was; after how much.
    Caught(String),
    Lives,
}

impl Tool {
    pub(super) fn parse(words: &str) -> Result<Self> {
        let mut words = words.split_whitespace();
        let (name, budget) = (words.next().unwrap_or_default(), words.next());
        ensure!(words.next().is_none(), "a tool is a name and at most one number");
        let number = || {
            let budget = budget.with_context(|| format!("`{name}` takes a budget"))?;
            budget.parse().with_context(|| format!("the budget of `{name}` is a number, not `{budget}`"))
        };
        match name {
            "sim" => Ok(Self::Sim { seeds: number()? }),
            "crash" => Ok(Self::Crash { runs: number()? }),
            "powercut" => Ok(Self::Powercut { runs: number()? }),
            "model" if budget.is_none() => Ok(Self::Model),
            "model" => bail!("`model` is exhaustive: it takes no budget"),
            _ => bail!("no tool `{name}`: it is `sim N`, `model`, `crash N` or `powercut N`"),
        }
    }

    /// Whether it links the engines in C++.
    pub(super) const fn needs_native(self) -> bool {
        matches!(self, Self::Crash { .. } | Self::Powercut { .. })
    }

    /// Builds it with the mutant, and runs it. A mutant that does not compile is no mutant.
    pub(super) fn hunt(self, scratch: &Scratch, vars: &NativeEnv) -> Result<Verdict> {
        let build = match self {
            Self::Sim { .. } => "build -q --locked -p splitstore-simulation --bin sim",
            Self::Model => "test -q --locked -p splitstore-model --no-run",
            Self::Crash { .. } | Self::Powercut { .. } => {
                "build -q --locked -p splitstore-stress --bin stress"
            }
        };
        let cargo = |words: &'static str| scratch.cargo(words.split(' ')).envs(vars);
        // What an interrupted build leaves may not link: then all is compiled anew before it counts.
        let built = cargo(build).run().or_else(|_| cargo(build).env("CARGO_INCREMENTAL", "0").run());
        built.context("it does not compile any more")?;
        let ended = match self {
            Self::Sim { seeds } => {
                scratch.program("sim").args(["--seeds", &seeds.to_string()]).within(LIMIT)?
            }
            Self::Model => cargo("test -q --locked -p splitstore-model -- --nocapture --test-threads 1")
                .quiet_env("RUST_BACKTRACE", "0")
                .within(LIMIT)?,
            Self::Crash { runs } => kill(scratch, "crash", runs)?,
            Self::Powercut { runs } => kill(scratch, "powercut", runs)?,
        };
        self.judge(&ended)
    }

    fn judge(self, ended: &Ended) -> Result<Verdict> {
        if ended.good {
            return Ok(Verdict::Lives);
        }
        let mut lines = ended.text.lines();
        let found = lines.find_map(|line| self.finding(line)).map(|found| match self {
            // A story ends with the law that it breaks.
            Self::Sim { .. } => format!("{found}, {}", law(lines.take_while(|line| !line.is_empty()))),
            Self::Model | Self::Crash { .. } | Self::Powercut { .. } => found,
        });
        found.map(Verdict::Caught).with_context(|| {
            let last: Vec<&str> = ended.text.lines().rev().take(SHOWN).collect();
            let last = last.into_iter().rev().collect::<Vec<_>>().join("\n");
            format!("`{self}` ended without saying what it found:\n{last}")
        })
    }

    /// What a line of output says of a finding.
    fn finding(self, line: &str) -> Option<String> {
        match self {
            Self::Sim { .. } => {
                let seed = line.strip_prefix("seed ")?.split_once(" fails")?.0;
                Some(format!("seed {seed}"))
            }
            Self::Model => {
                let (scenario, count) = line.split_once(" fails after ")?;
                // The test harness prints its dots before it.
                Some(format!("{}, {count}", scenario.trim_start_matches('.')))
            }
            Self::Crash { .. } | Self::Powercut { .. } => {
                let (_, run) = line.strip_prefix("stress: ")?.split_once(", run ")?;
                Some(format!("run {}", run.split(':').next()?))
            }
        }
    }
}

/// The runner that ends so many processes in this way.
fn kill(scratch: &Scratch, way: &str, runs: u64) -> Result<Ended> {
    scratch.program("stress").args([way, "--runs", &runs.to_string()]).within(LIMIT)
}

/// The law in the last line of a story, with its name.
fn law<'a>(story: impl Iterator<Item = &'a str>) -> String {
    story.last().unwrap_or_default().split(": ").take(2).collect::<Vec<_>>().join(": ")
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sim { seeds } => write!(f, "sim {seeds}"),
            Self::Model => f.write_str("model"),
            Self::Crash { runs } => write!(f, "crash {runs}"),
            Self::Powercut { runs } => write!(f, "powercut {runs}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caught(tool: Tool, text: &str) -> Result<Option<String>> {
        Ok(match tool.judge(&Ended { good: false, text: text.into() })? {
            Verdict::Caught(how) => Some(how),
            Verdict::Lives => None,
        })
    }

    #[test]
    fn a_tool_is_a_name_and_a_budget() {
        for text in ["sim 300", "model", "crash 40", "powercut 60"] {
            assert_eq!(Tool::parse(text).unwrap().to_string(), text);
        }
        for (text, said) in [
            ("sim", "`sim` takes a budget"),
            ("crash many", "not `many`"),
            ("model 3", "takes no budget"),
            ("luck 3", "no tool `luck`"),
            ("sim 3 4", "at most one number"),
        ] {
            let error = Tool::parse(text).unwrap_err();
            assert!(format!("{error:#}").contains(said), "{text}: {error:#}");
        }
    }

    #[test]
    fn each_tool_says_how_far_it_came() {
        let sim = Tool::Sim { seeds: 9 };
        let said = "noise\nseed 7 fails; replay it with --seed 7 --verbose\ncold discard\nlaw 4: only what is dead: b1\n\nmore";
        assert_eq!(caught(sim, said).unwrap().unwrap(), "seed 7, law 4: only what is dead");
        let said = "..put beside seal fails after 12 interleavings";
        assert_eq!(caught(Tool::Model, said).unwrap().unwrap(), "put beside seal, 12 interleavings");
        let said = "stress: seed 1, life 0 (rocksdb, discard), run 17: the store is kept: lost";
        for tool in [Tool::Crash { runs: 40 }, Tool::Powercut { runs: 40 }] {
            assert_eq!(caught(tool, said).unwrap().unwrap(), "run 17");
        }
    }

    #[test]
    fn a_tool_that_passes_lets_it_live_and_one_that_breaks_is_an_error() {
        let lives = Tool::Model.judge(&Ended { good: true, text: String::new() }).unwrap();
        assert!(matches!(lives, Verdict::Lives));
        let error = caught(Tool::Sim { seeds: 3 }, "never hit: crash inside: open, hot").unwrap_err();
        assert!(error.to_string().contains("never hit"), "{error}");
    }
}
