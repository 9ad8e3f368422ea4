//! What a row must hold.

use std::fmt;

use super::samples::Of;

/// What a row must hold.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    /// The other takes so many times as long, at least.
    Faster(f64),
    /// We take so many times as much as the other, at most.
    AtMost(f64),
    /// The same, and how much is measured in the same run.
    AtMostMeasured(Of),
    /// We have so much of what the other has, at least.
    AtLeast(f64),
    /// So much at most, whatever the other.
    Limit(f64),
    /// None: the figure stands for itself.
    None,
}

impl Goal {
    /// How two values compare under this goal.
    pub(crate) fn ratio(self, ours: f64, against: f64) -> f64 {
        match self {
            Self::Faster(_) | Self::None => against / ours,
            Self::AtMost(_) | Self::AtMostMeasured(_) | Self::AtLeast(_) | Self::Limit(_) => ours / against,
        }
    }

    /// The value that is the bound, where it is measured.
    pub(crate) const fn measured(self) -> Option<Of> {
        match self {
            Self::AtMostMeasured(of) => Some(of),
            _ => None,
        }
    }

    /// Whether it is met; nothing where it asks for nothing. `bound` is what was measured for it, if anything.
    pub(crate) fn met(self, ours: f64, ratio: Option<f64>, bound: Option<f64>) -> Option<bool> {
        match self {
            Self::Faster(least) | Self::AtLeast(least) => ratio.map(|ratio| ratio >= least),
            Self::AtMost(most) => ratio.map(|ratio| ratio <= most),
            Self::AtMostMeasured(_) => Some(ratio? <= bound?),
            Self::Limit(most) => Some(ours <= most),
            Self::None => None,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Faster(least) => write!(f, ">= {least}x"),
            Self::AtMost(most) => write!(f, "<= {most}x"),
            Self::AtMostMeasured(_) => f.write_str("<= control + 3 %"),
            Self::AtLeast(least) => write!(f, ">= {:.0} %", least * 100.0),
            Self::Limit(most) => write!(f, "<= {most}"),
            Self::None => f.write_str("-"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faster_counts_the_others_time_and_at_most_counts_ours() {
        assert_eq!(Goal::Faster(8.0).ratio(2.0, 20.0).to_bits(), 10.0_f64.to_bits());
        assert_eq!(Goal::AtMost(8.0).ratio(20.0, 2.0).to_bits(), 10.0_f64.to_bits());
    }

    #[test]
    fn a_goal_is_met_on_its_bound_and_not_beyond() {
        assert_eq!(Goal::Faster(8.0).met(1.0, Some(8.0), None), Some(true));
        assert_eq!(Goal::Faster(8.0).met(1.0, Some(7.9), None), Some(false));
        assert_eq!(Goal::AtMost(2.0).met(1.0, Some(2.1), None), Some(false));
        assert_eq!(Goal::Limit(0.2).met(0.2, None, None), Some(true));
        assert_eq!(Goal::AtMostMeasured(Of("hits", "allowed")).met(1.0, Some(1.02), Some(1.03)), Some(true));
        assert_eq!(Goal::AtMostMeasured(Of("hits", "allowed")).met(1.0, Some(1.02), None), None);
        assert_eq!(Goal::Faster(8.0).met(1.0, None, None), None);
    }
}
