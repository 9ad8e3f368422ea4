//! What was measured, by probe, value and round.

use std::collections::BTreeMap;

use crate::table::median;

/// Seconds; the system counts in hundredths.
const CPU_MIN: f64 = 0.1;

/// A value of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Of(pub(crate) &'static str, pub(crate) &'static str);

/// Everything measured so far.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    /// By probe and value, with the round.
    values: BTreeMap<(String, String), BTreeMap<usize, f64>>,
    failures: BTreeMap<String, String>,
}

/// A median with its spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) greatest: f64,
    /// Of so many rounds.
    pub(crate) rounds: usize,
}

impl Spread {
    /// Of some values; nothing of none.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (least, greatest) = (*sorted.first()?, *sorted.last()?);
        Some(Self { median: median(&sorted)?, least, greatest, rounds: sorted.len() })
    }
}

impl Samples {
    /// Notes what a probe measured in a round.
    pub(crate) fn add(&mut self, probe: &str, round: usize, gauges: Vec<(String, f64)>) {
        for (gauge, value) in gauges {
            self.values.entry((probe.into(), gauge)).or_default().insert(round, value);
        }
    }

    /// Notes that a probe failed; it is not tried again.
    pub(crate) fn fail(&mut self, probe: &str, why: String) {
        self.failures.insert(probe.into(), why);
    }

    /// Why a probe failed, if it did.
    pub(crate) fn failure(&self, probe: &str) -> Option<&str> {
        self.failures.get(probe).map(String::as_str)
    }

    /// A value in the rounds in which it was measured.
    pub(crate) fn rounds(&self, of: Of) -> BTreeMap<usize, f64> {
        self.values.get(&(of.0.into(), of.1.into())).cloned().unwrap_or_default()
    }

    /// A value over all its rounds.
    pub(crate) fn spread(&self, of: Of) -> Option<Spread> {
        Spread::of(self.rounds(of).into_values())
    }

    /// What all threads computed while a time was measured, the median; nothing of less than ten ticks.
    pub(crate) fn cpu(&self, of: Of) -> Option<f64> {
        let name = (of.0.to_string(), format!("{}_cpu", of.1));
        let spread = Spread::of(self.values.get(&name)?.values().copied())?;
        Some(spread.median).filter(|median| *median >= CPU_MIN)
    }

    /// Two values, of the rounds that have both.
    pub(crate) fn pairs(&self, ours: Of, against: Of) -> Vec<(f64, f64)> {
        let against = self.rounds(against);
        let pair = |(round, ours): (usize, f64)| Some((ours, *against.get(&round)?));
        self.rounds(ours).into_iter().filter_map(pair).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_round_are_paired_with_each_other_only() {
        let mut samples = Samples::default();
        for (round, value) in [(0, 1.0), (1, 2.0), (2, 3.0)] {
            samples.add("scan", round, vec![("seconds".into(), value)]);
        }
        samples.add("naive", 1, vec![("seconds".into(), 20.0)]);
        let (scan, naive) = (Of("scan", "seconds"), Of("naive", "seconds"));
        assert_eq!(samples.pairs(scan, naive), [(2.0, 20.0)]);
        let spread = Spread { median: 2.0, least: 1.0, greatest: 3.0, rounds: 3 };
        assert_eq!(samples.spread(scan), Some(spread));
        assert_eq!(samples.spread(Of("scan", "bytes")), None);
    }

    #[test]
    fn what_was_computed_in_a_few_ticks_says_nothing() {
        let mut samples = Samples::default();
        samples.add("scan", 0, vec![("seconds_cpu".into(), 0.5), ("mark_cpu".into(), 0.02)]);
        assert_eq!(samples.cpu(Of("scan", "seconds")), Some(0.5));
        assert_eq!(samples.cpu(Of("scan", "mark")), None);
    }
}
