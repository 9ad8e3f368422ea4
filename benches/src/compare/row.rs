//! One line of the table.

use super::catalogue::Probe;
use super::goal::Goal;
use super::samples::{Of, Samples, Spread};
use super::works::{Unit, Work};

/// One line of the table.
#[derive(Debug, Clone)]
pub struct Row {
    pub(crate) work: &'static str,
    pub(crate) reference: &'static str,
    pub(crate) unit: Unit,
    pub(crate) goal: Goal,
    pub(crate) found: Found,
}

/// What there is to say of a work.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    /// It was measured.
    Measured(Measured),
    /// A feature is not there.
    NotBuilt,
    /// A probe broke.
    Failed(String),
}

/// What was measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) ours: Spread,
    pub(crate) against: Option<Spread>,
    /// Of the rounds' own ratios.
    pub(crate) ratio: Option<Spread>,
    /// Of what all threads computed, not of the time: on a crowded machine it says more.
    pub(crate) cpu: Option<f64>,
    pub(crate) met: Option<bool>,
}

impl Row {
    pub(crate) fn of(work: &Work, samples: &Samples) -> Self {
        let Work { name, reference, unit, goal, .. } = *work;
        Self { work: name, reference, unit, goal, found: Found::of(work, samples) }
    }

    /// Whether a probe of it broke.
    pub const fn failed(&self) -> bool {
        matches!(self.found, Found::Failed(_))
    }

    /// What was measured, if anything was.
    pub(crate) const fn measured(&self) -> Option<&Measured> {
        match &self.found {
            Found::Measured(measured) => Some(measured),
            Found::NotBuilt | Found::Failed(_) => None,
        }
    }
}

impl Found {
    fn of(work: &Work, samples: &Samples) -> Self {
        let not_built = |name: &str| Probe::named(name).is_ok_and(|probe| probe.run.is_none());
        if work.probes().any(not_built) {
            return Self::NotBuilt;
        }
        if let Some(why) = work.probes().find_map(|probe| samples.failure(probe)) {
            return Self::Failed(why.into());
        }
        match Measured::of(work, samples) {
            Some(measured) => Self::Measured(measured),
            None => Self::Failed("nothing was measured".into()),
        }
    }
}

impl Measured {
    fn of(work: &Work, samples: &Samples) -> Option<Self> {
        let ours = samples.spread(work.ours)?;
        let against = match work.against {
            Some(of) => Some(samples.spread(of)?),
            None => None,
        };
        let ratio = work.against.and_then(|against| ratio(work, against, samples));
        let bound = work.goal.measured().and_then(|of| samples.spread(of)).map(|spread| spread.median);
        let met = work.goal.met(ours.median, ratio.map(|ratio| ratio.median), bound);
        let cpu = work
            .against
            .and_then(|against| Some(work.goal.ratio(samples.cpu(work.ours)?, samples.cpu(against)?)));
        Some(Self { ours, against, ratio, cpu, met })
    }
}

fn ratio(work: &Work, against: Of, samples: &Samples) -> Option<Spread> {
    let pairs = samples.pairs(work.ours, against).into_iter();
    Spread::of(pairs.map(|(ours, against)| work.goal.ratio(ours, against)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORK: Work = Work {
        name: "mark by scan",
        ours: Of("scan-warm", "seconds"),
        against: Some(Of("naive-compact", "mark")),
        reference: "naive walk",
        unit: Unit::Seconds,
        goal: Goal::Faster(8.0),
    };

    fn samples(naive: &[f64]) -> Samples {
        let mut samples = Samples::default();
        for (round, seconds) in [2.0, 4.0, 3.0].into_iter().enumerate() {
            samples.add("scan-warm", round, vec![("seconds".into(), seconds)]);
        }
        for (round, seconds) in naive.iter().enumerate() {
            samples.add("naive-compact", round, vec![("mark".into(), *seconds)]);
        }
        samples
    }

    #[test]
    fn the_ratio_is_the_median_of_the_rounds_own() {
        // The second round was disturbed: both took twice as long.
        let row = Row::of(&WORK, &samples(&[20.0, 40.0, 24.0]));
        let measured = row.measured().unwrap();
        let ratio = measured.ratio.unwrap();
        let spread = [ratio.least, ratio.median, ratio.greatest].map(f64::to_bits);
        assert_eq!(spread, [8.0, 10.0, 10.0].map(f64::to_bits));
        assert_eq!((measured.ours.median.to_bits(), measured.met), (3.0_f64.to_bits(), Some(true)));
    }

    #[test]
    fn a_reference_of_fewer_rounds_counts_in_these() {
        let row = Row::of(&WORK, &samples(&[12.0]));
        let measured = row.measured().unwrap();
        assert_eq!((measured.ratio.unwrap().rounds, measured.met), (1, Some(false)));
    }

    #[test]
    fn what_is_not_built_or_broke_has_no_figure() {
        let not_built = Work { ours: Of("not-built", "seconds"), ..WORK };
        assert!(Row::of(&not_built, &samples(&[1.0])).failed());
        let mut broken = samples(&[1.0]);
        broken.fail("scan-warm", "it broke".into());
        let row = Row::of(&WORK, &broken);
        assert!(row.failed() && row.measured().is_none());
        assert!(matches!(&row.found, Found::Failed(why) if why == "it broke"));
    }
}
