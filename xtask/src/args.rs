//! The command line, parsed by hand: a parser crate would double the time until the first test runs.

use anyhow::{Context, Result, bail, ensure};

/// What to do. `rest` is handed on unread.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Test { scope: Scope, rest: Vec<String> },
    Ci,
    Tidy,
    Demo { hot: Hot, rest: Vec<String> },
    Run { rest: Vec<String> },
    Bench { what: Bench, rest: Vec<String> },
    Fixtures { rest: Vec<String> },
    Sim { rest: Vec<String> },
    Fuzz { rest: Vec<String> },
    Crash(Kills),
    Powercut(Kills),
    Soak(Soak),
    Mutants(Mutants),
    Figures { rest: Vec<String> },
    Rot { rest: Vec<String> },
    Native,
}

/// Kills of a process, or cuts of its power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kills {
    /// Kills.
    pub(crate) runs: u64,
    /// Source of all choices; one of its own, if none.
    pub(crate) seed: Option<u64>,
}

/// A soak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Soak {
    pub(crate) minutes: u64,
}

/// A hunt for seeded bugs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mutants {
    /// The one of this name; all, if none.
    pub(crate) only: Option<String>,
    /// So many, in turn.
    pub(crate) rotate: Option<u64>,
    /// Whose turn it is; the last commit decides, if none.
    pub(crate) seed: Option<u64>,
}

/// Which crates a test run covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The whole workspace.
    All,
    /// All but what links C++.
    Quick,
}

/// The engine of the hot tier in a demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hot {
    Rocksdb,
    Fjall,
}

/// What a bench run measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bench {
    /// All rates.
    Full,
    /// The same on less data.
    Small,
    /// What the store adds to a hit in hot.
    Hits,
    /// The instructions of such a hit.
    Instructions,
    /// Everything against the algorithm of the original.
    Compare,
    /// TSM files only: encoding, decoding, merging, as tables.
    Tsm,
}

pub(crate) fn parse(args: impl IntoIterator<Item = String>) -> Result<Command> {
    let mut args = args.into_iter();
    let name = args.next().unwrap_or_default();
    let rest: Vec<String> = args.collect();
    // Before anything is built: what a command would say of itself is in the one help.
    if rest.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--help" || arg == "-h") {
        return Ok(Command::Help);
    }
    match name.as_str() {
        "" | "help" | "-h" | "--help" => Ok(Command::Help),
        "test" => switch(&rest, "--quick").map(|(quick, rest)| Command::Test {
            scope: if quick.is_some() { Scope::Quick } else { Scope::All },
            rest,
        }),
        "bench" => bench(&rest),
        "demo" => Ok(Command::Demo { hot: hot(&rest)?, rest }),
        "run" => Ok(Command::Run { rest: rest.strip_prefix(&["--".to_owned()]).unwrap_or(&rest).to_vec() }),
        "fixtures" => Ok(Command::Fixtures { rest }),
        "sim" => Ok(Command::Sim { rest }),
        "fuzz" => Ok(Command::Fuzz { rest }),
        "crash" => kills("crash", &rest).map(Command::Crash),
        "powercut" => kills("powercut", &rest).map(Command::Powercut),
        "soak" => {
            let [minutes] = numbers(&rest, ["--minutes"])?;
            Ok(Command::Soak(Soak { minutes: minutes.context("soak takes `--minutes N`")? }))
        }
        "mutants" => mutants(&rest).map(Command::Mutants),
        "figures" => Ok(Command::Figures { rest }),
        "rot" => Ok(Command::Rot { rest }),
        "ci" => bare(&rest, Command::Ci),
        "tidy" => bare(&rest, Command::Tidy),
        "native" => bare(&rest, Command::Native),
        other => bail!("no command `{other}`; `cargo xtask` lists them"),
    }
}

fn bench(args: &[String]) -> Result<Command> {
    if let [first, rest @ ..] = args
        && first == "--compare"
    {
        return Ok(Command::Bench { what: Bench::Compare, rest: compare(rest)? });
    }
    let known = [
        ("--small", Bench::Small),
        ("--tsm", Bench::Tsm),
        ("--hits", Bench::Hits),
        ("--instructions", Bench::Instructions),
    ];
    let named = args.first().and_then(|first| known.iter().find(|(name, _)| name == first));
    let (what, args) = named.map_or((Bench::Full, args), |(_, what)| (*what, &args[1..]));
    let (_, rest) = switch(args, "--small")?;
    ensure!(
        args.first().is_none_or(|arg| arg == "--"),
        "bench takes one of --small, --tsm, --hits, --instructions, --compare"
    );
    Ok(Command::Bench { what, rest })
}

/// Reads the options of a comparison before anything is built; the program takes them in the same form.
fn compare(args: &[String]) -> Result<Vec<String>> {
    let (mut words, mut args) = (Vec::new(), args.iter());
    while let Some(arg) = args.next() {
        let (name, inline) = arg.split_once('=').map_or((arg.as_str(), None), |(name, to)| (name, Some(to)));
        words.push(name.to_string());
        match (name, inline) {
            ("--small" | "--json", None) => {}
            ("--only" | "--rounds" | "--from", _) => {
                let value = inline.or_else(|| args.next().map(String::as_str));
                let value = value.filter(|value| !value.is_empty() && !value.starts_with("--"));
                let value = value.with_context(|| format!("{name} takes a value"))?;
                let number = name != "--rounds" || value.parse::<u32>().is_ok_and(|rounds| rounds > 0);
                ensure!(number, "--rounds takes a number from 1, not `{value}`");
                words.push(value.into());
            }
            _ => bail!(
                "no option `{arg}` here; --compare takes --small, --json, --only WORK, --rounds N, --from LOG"
            ),
        }
    }
    Ok(words)
}

fn kills(name: &str, rest: &[String]) -> Result<Kills> {
    let [runs, seed] = numbers(rest, ["--runs", "--seed"])?;
    let runs = runs.with_context(|| format!("{name} takes `--runs N`, and `--seed S` if you like"))?;
    Ok(Kills { runs, seed })
}

/// `--only NAME`, or `--rotate K` with `--seed S` if you like.
fn mutants(args: &[String]) -> Result<Mutants> {
    if let [first, rest @ ..] = args
        && let Some(inline) = first.strip_prefix("--only")
    {
        let name = inline.strip_prefix('=').or_else(|| rest.first().map(String::as_str));
        let taken = usize::from(inline.is_empty());
        let name = name.context("--only takes the name of a mutant")?;
        bare(&rest[taken..], ())?;
        return Ok(Mutants { only: Some(name.into()), ..Mutants::default() });
    }
    let [rotate, seed] = numbers(args, ["--rotate", "--seed"])?;
    ensure!(seed.is_none() || rotate.is_some(), "--seed goes with `--rotate K`");
    Ok(Mutants { only: None, rotate, seed })
}

fn bare<T>(rest: &[String], command: T) -> Result<T> {
    ensure!(rest.is_empty(), "`{}` is one argument too many", rest.join(" "));
    Ok(command)
}

/// Takes the one known switch before `--`; what follows `--` is returned.
fn switch<'a>(args: &'a [String], known: &str) -> Result<(Option<&'a str>, Vec<String>)> {
    let end = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    let mut found = None;
    for arg in &args[..end] {
        ensure!(arg == known, "no option `{arg}` here; it takes `{known}`, and more after `--`");
        found = Some(arg.as_str());
    }
    Ok((found, args.iter().skip(end + 1).cloned().collect()))
}

/// Takes options that are numbers, each `--name N` or `--name=N`, and nothing else; the last of two counts.
fn numbers<const N: usize>(args: &[String], known: [&str; N]) -> Result<[Option<u64>; N]> {
    let mut found = [None; N];
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let (name, inline) = arg.split_once('=').map_or((arg.as_str(), None), |(name, to)| (name, Some(to)));
        let place = known.iter().position(|known| *known == name);
        let place =
            place.with_context(|| format!("no option `{name}` here; it takes {}", known.join(", ")))?;
        let value = inline.or_else(|| args.next().map(String::as_str));
        let value = value.with_context(|| format!("{name} takes a number"))?;
        found[place] = Some(value.parse().with_context(|| format!("{name} takes a number, not `{value}`"))?);
    }
    Ok(found)
}

/// Reads `--hot` without taking it: the demo reads it again.
fn hot(args: &[String]) -> Result<Hot> {
    let mut named = None;
    for (at, arg) in args.iter().enumerate() {
        if arg == "--hot" {
            named = Some(args.get(at + 1).context("--hot takes `rocksdb` or `fjall`")?.as_str());
        } else if let Some(value) = arg.strip_prefix("--hot=") {
            named = Some(value);
        }
    }
    match named {
        None | Some("rocksdb") => Ok(Hot::Rocksdb),
        Some("fjall") => Ok(Hot::Fjall),
        Some(other) => bail!("no hot tier `{other}`: `rocksdb` or `fjall`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command> {
        parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn no_argument_asks_for_help() {
        assert_eq!(parsed("").unwrap(), Command::Help);
    }

    #[test]
    fn help_is_given_for_every_command_before_anything_is_built() {
        for line in ["demo --help", "demo a.car -h", "test --help", "ci --help", "sim --help"] {
            assert_eq!(parsed(line).unwrap(), Command::Help, "{line}");
        }
        assert!(matches!(parsed("test -- --help").unwrap(), Command::Test { .. }));
    }

    #[test]
    fn what_follows_the_double_dash_is_handed_on() {
        let rest = vec!["purge".to_string(), "--nocapture".to_string()];
        assert_eq!(
            parsed("test --quick -- purge --nocapture").unwrap(),
            Command::Test { scope: Scope::Quick, rest }
        );
        assert_eq!(parsed("bench").unwrap(), Command::Bench { what: Bench::Full, rest: vec![] });
    }

    #[test]
    fn the_tool_gets_its_arguments_with_and_without_the_double_dash() {
        let rest: Vec<String> = ["info", "--json"].map(String::from).into();
        assert_eq!(parsed("run -- info --json").unwrap(), Command::Run { rest: rest.clone() });
        assert_eq!(parsed("run info --json").unwrap(), Command::Run { rest });
        assert!(matches!(parsed("run -- --help").unwrap(), Command::Run { .. }));
    }

    #[test]
    fn a_bench_is_of_one_kind() {
        let kind = |line: &str| match parsed(line).unwrap() {
            Command::Bench { what, .. } => what,
            other => panic!("{other:?}"),
        };
        assert_eq!(kind("bench --small -- put"), Bench::Small);
        assert_eq!(kind("bench --tsm"), Bench::Tsm);
        assert_eq!(kind("bench --hits"), Bench::Hits);
        assert_eq!(kind("bench --instructions"), Bench::Instructions);
        assert_eq!(kind("bench --compare --small"), Bench::Compare);
    }

    #[test]
    fn options_of_a_comparison_are_refused_before_anything_is_built() {
        let rest = |line: &str| match parsed(line) {
            Ok(Command::Bench { what: Bench::Compare, rest }) => rest.join(" "),
            Ok(other) => panic!("{other:?}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(rest("bench --compare"), "");
        let line = "bench --compare --small --json --rounds=3 --only purge";
        assert_eq!(rest(line), "--small --json --rounds 3 --only purge");
        assert_eq!(rest("bench --compare --rounds"), "--rounds takes a value");
        assert_eq!(rest("bench --compare --only --small"), "--only takes a value");
        assert_eq!(rest("bench --compare --rounds 0"), "--rounds takes a number from 1, not `0`");
        assert!(
            rest("bench --compare --fast").starts_with("no option `--fast` here; --compare takes --small")
        );
        assert!(rest("bench --compare --small=yes").starts_with("no option `--small=yes`"));
        assert!(rest("bench --small --compare").contains("no option `--compare` here"));
    }

    #[test]
    fn the_demo_keeps_its_arguments_and_tells_the_engine() {
        let both = [parsed("demo a.car --hot fjall").unwrap(), parsed("demo a.car --hot=fjall").unwrap()];
        for command in both {
            assert!(matches!(command, Command::Demo { hot: Hot::Fjall, rest } if rest[0] == "a.car"));
        }
        assert!(matches!(parsed("demo").unwrap(), Command::Demo { hot: Hot::Rocksdb, .. }));
    }

    #[test]
    fn crash_and_soak_take_numbers() {
        let crash = |runs, seed| Command::Crash(Kills { runs, seed });
        assert_eq!(parsed("crash --runs 10").unwrap(), crash(10, None));
        assert_eq!(parsed("crash --seed=3 --runs=200").unwrap(), crash(200, Some(3)));
        let powercut = Command::Powercut(Kills { runs: 500, seed: Some(2) });
        assert_eq!(parsed("powercut --runs 500 --seed 2").unwrap(), powercut);
        assert_eq!(parsed("soak --minutes 2").unwrap(), Command::Soak(Soak { minutes: 2 }));
    }

    #[test]
    fn mutants_are_all_or_one_or_a_few_in_turn() {
        let mutants = |only: Option<&str>, rotate, seed| {
            Command::Mutants(Mutants { only: only.map(String::from), rotate, seed })
        };
        assert_eq!(parsed("mutants").unwrap(), mutants(None, None, None));
        for line in ["mutants --only no-sync", "mutants --only=no-sync"] {
            assert_eq!(parsed(line).unwrap(), mutants(Some("no-sync"), None, None));
        }
        assert_eq!(parsed("mutants --rotate 5 --seed 3").unwrap(), mutants(None, Some(5), Some(3)));
    }

    #[test]
    fn a_mistake_is_named() {
        for (line, said) in [
            ("tset", "no command `tset`"),
            ("test --fast", "no option `--fast`"),
            ("ci now", "`now` is one argument too many"),
            ("demo --hot", "--hot takes"),
            ("bench --hits --small", "bench takes one of"),
            ("bench --slow", "no option `--slow`"),
            ("demo --hot badger", "no hot tier `badger`"),
            ("crash", "crash takes `--runs N`"),
            ("powercut", "powercut takes `--runs N`"),
            ("crash --runs ten", "--runs takes a number, not `ten`"),
            ("crash --runs", "--runs takes a number"),
            ("crash --times 3", "no option `--times` here; it takes --runs, --seed"),
            ("soak --seed 1", "no option `--seed` here; it takes --minutes"),
            ("soak", "soak takes `--minutes N`"),
            ("mutants --only", "--only takes the name of a mutant"),
            ("mutants --only a b", "`b` is one argument too many"),
            ("mutants --seed 3", "--seed goes with `--rotate K`"),
        ] {
            let error = parsed(line).unwrap_err().to_string();
            assert!(error.contains(said), "{line}: {error}");
        }
    }
}
