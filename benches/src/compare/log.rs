//! Reads back what a run told while it measured, so that one that was cut short is not lost.
//!
//! ```text
//!   round 1 of 3: scan-warm: seconds 3.293 seconds_cpu 5.500 live 4114045.000
//!         ^ round  ^ probe   ^ values by name
//! ```
//! Other lines of the log are passed over.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::catalogue::Probe;
use super::samples::Samples;

/// The samples in a log, and of how many rounds they are.
pub(super) fn read(path: &Path) -> Result<(Samples, usize)> {
    let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    parse(&text).with_context(|| format!("read {}", path.display()))
}

fn parse(text: &str) -> Result<(Samples, usize)> {
    let (mut samples, mut rounds) = (Samples::default(), 0);
    for line in text.lines().filter(|line| line.starts_with("round ")) {
        let (round, probe, gauges) =
            measured(line).with_context(|| format!("`{line}` was cut, or changed"))?;
        Probe::named(probe)?;
        samples.add(probe, round, gauges);
        rounds = rounds.max(round + 1);
    }
    ensure!(rounds > 0, "nothing measured is in it");
    Ok((samples, rounds))
}

/// Values by name.
type Values = Vec<(String, f64)>;

/// Round from 0, probe, values.
fn measured(line: &str) -> Option<(usize, &str, Values)> {
    let (at, rest) = line.strip_prefix("round ")?.split_once(": ")?;
    let (probe, values) = rest.split_once(": ")?;
    let round: usize = at.split_once(" of ")?.0.parse().ok()?;
    let words: Vec<&str> = values.split(' ').collect();
    let pair = |pair: &[&str]| match pair {
        [name, value] => Some(((*name).to_owned(), value.parse().ok()?)),
        _ => None,
    };
    Some((round.checked_sub(1)?, probe, words.chunks(2).map(pair).collect::<Option<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::super::samples::Of;
    use super::*;

    #[test]
    fn what_was_told_is_read_back_round_by_round() {
        let log = "    Finished\nround 1 of 3: scan-warm: seconds 3.293 live 7.000\nround 2 of 3: scan-warm: seconds 3.100 live 7.000\n";
        let (samples, rounds) = parse(log).unwrap();
        assert_eq!(rounds, 2);
        assert_eq!(
            samples.pairs(Of("scan-warm", "seconds"), Of("scan-warm", "live")),
            [(3.293, 7.0), (3.1, 7.0)]
        );
    }

    #[test]
    fn a_line_that_was_cut_is_named_and_a_log_without_measurements_refused() {
        for (log, told) in [
            ("round 1 of 3: scan-warm: seconds", "`round 1 of 3: scan-warm: seconds` was cut, or changed"),
            ("round 1 of 3: scan-hot: seconds 1.0", "there is no probe `scan-hot`"),
            ("nothing", "nothing measured is in it"),
        ] {
            assert_eq!(parse(log).unwrap_err().to_string(), told);
        }
    }
}
