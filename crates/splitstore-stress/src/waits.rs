//! The longest waits one by one, each with what the host took of it.

use std::fmt;
use std::time::Duration;

use crate::{Op, Segment, Steal};

/// What counts as long.
const LONG: Duration = Duration::from_millis(10);
/// Waits that are printed.
const SHOWN: usize = 10;

/// A call that took long.
#[derive(Debug, Clone, Copy)]
pub struct Wait {
    /// What was called.
    pub op: Op,
    /// Where it counts.
    pub segment: Segment,
    /// When, since the start of the run.
    pub began: Duration,
    /// As the caller sees it.
    pub took: Duration,
    /// Without waiting for a processor that was there.
    pub own: Duration,
    /// For how long a processor was with somebody else meanwhile ([`Steal`]).
    pub host: Duration,
}

impl Wait {
    /// What is left without the host: of ours, of the other threads and of the disk.
    pub fn apart(&self) -> Duration {
        self.took.saturating_sub(self.host)
    }
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub struct Waits(Vec<Wait>);

impl Waits {
    /// Remembers it if it is long.
    pub(crate) fn record(&mut self, wait: Wait) {
        if wait.took >= LONG {
            self.0.push(wait);
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.0.extend(&other.0);
    }

    /// Writes down what the host took of each.
    pub(crate) fn blame(&mut self, steal: &Steal) {
        for wait in &mut self.0 {
            wait.host = steal.between(wait.began, wait.began + wait.took);
        }
    }

    /// Those of a kind beside the compaction.
    pub fn of(&self, op: Op) -> impl Iterator<Item = &Wait> {
        self.0.iter().filter(move |wait| wait.op == op && matches!(wait.segment, Segment::Phase(_)))
    }

    /// What the longest of a kind beside the compaction takes if the host's share is taken from each, given the
    /// longest of all as seen.
    pub fn apart(&self, op: Op, seen: Duration) -> Duration {
        self.of(op).map(Wait::apart).fold(seen.min(LONG), Duration::max)
    }
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| wait for | in | at s | ms | own ms | host away ms | without it ms |")?;
        writeln!(f, "|---|---|---:|---:|---:|---:|---:|")?;
        let mut longest: Vec<&Wait> = [Op::Get, Op::Put].into_iter().flat_map(|op| self.of(op)).collect();
        longest.sort_unstable_by_key(|wait| std::cmp::Reverse(wait.took));
        longest.iter().take(SHOWN).try_for_each(|wait| row(f, wait))
    }
}

fn row(f: &mut fmt::Formatter<'_>, wait: &Wait) -> fmt::Result {
    let &Wait { op, segment, began, took, own, host } = wait;
    let [took, own, host, apart] = [took, own, host, wait.apart()].map(|time| time.as_secs_f64() * 1e3);
    let (op, began) = (op.name(), began.as_secs_f64());
    writeln!(f, "| {op} | {segment} | {began:.2} | {took:.1} | {own:.1} | {host:.0} | {apart:.1} |")
}

#[cfg(test)]
mod tests {
    use splitstore::domain::Phase;

    use super::*;

    fn wait(op: Op, segment: Segment, took: u64, host: u64) -> Wait {
        let [began, took, host] = [0, took, host].map(Duration::from_millis);
        Wait { op, segment, began, took, own: took, host }
    }

    #[test]
    fn the_longest_without_the_host_is_another_one_than_the_longest() {
        let (mut waits, purge) = (Waits::default(), Segment::Phase(Phase::Purge));
        waits.record(wait(Op::Get, purge, 90, 70));
        waits.record(wait(Op::Get, purge, 30, 0));
        waits.record(wait(Op::Get, Segment::Busy, 60, 0));
        waits.record(wait(Op::Put, purge, 50, 0));
        assert_eq!(waits.apart(Op::Get, Duration::from_millis(90)), Duration::from_millis(30));
        assert!(waits.to_string().contains("| get | purge | 0.00 | 90.0 | 90.0 | 70 | 20.0 |"), "{waits}");
    }

    #[test]
    fn what_is_not_long_is_as_it_is_seen() {
        let mut waits = Waits::default();
        waits.record(wait(Op::Get, Segment::Phase(Phase::Mark), 9, 0));
        assert_eq!(waits.of(Op::Get).count(), 0);
        assert_eq!(waits.apart(Op::Get, Duration::from_millis(9)), Duration::from_millis(9));
    }
}
