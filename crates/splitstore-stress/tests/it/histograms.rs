//! Histograms and the table made of them.

use std::time::Duration;

use splitstore::domain::Phase;
use splitstore_stress::{Dice, Histogram, Latencies, Op, Stage};

fn nanos(number: u64) -> Duration {
    Duration::from_nanos(number)
}

#[test]
fn small_numbers_are_kept_exactly() {
    let mut histogram = Histogram::default();
    (1..=10).for_each(|number| histogram.record(nanos(number)));
    assert_eq!(histogram.per_mille(500), nanos(5));
    assert_eq!(histogram.per_mille(999), nanos(10));
    assert_eq!((histogram.total(), histogram.max()), (10, nanos(10)));
}

#[test]
fn a_quantile_is_never_too_small_and_at_most_a_sixteenth_too_large() {
    let mut dice = Dice::new(5, 5);
    let mut numbers: Vec<u64> = (0..20_000).map(|_| dice.word() >> (dice.below(50) + 10)).collect();
    let mut histogram = Histogram::default();
    for number in &numbers {
        histogram.record(nanos(*number));
    }
    numbers.sort_unstable();
    for share in [1, 10, 500, 900, 990, 999, 1000] {
        let exact = numbers[usize::try_from(20 * share - 1).unwrap()];
        let found = u64::try_from(histogram.per_mille(share).as_nanos()).unwrap();
        assert!(found >= exact && found - exact <= exact / 16, "{share}: {exact} became {found}");
    }
}

#[test]
fn the_largest_number_of_all_has_a_bucket() {
    let mut histogram = Histogram::default();
    histogram.record(Duration::MAX);
    assert_eq!(histogram.per_mille(500), nanos(u64::MAX));
}

#[test]
fn an_empty_histogram_answers_zero() {
    assert_eq!(Histogram::default().per_mille(999), Duration::ZERO);
}

#[test]
fn merged_histograms_count_as_one() {
    let (mut all, mut other) = (Histogram::default(), Histogram::default());
    all.record(nanos(3));
    other.record(nanos(9));
    all.merge(&other);
    assert_eq!((all.total(), all.per_mille(500), all.max()), (2, nanos(3), nanos(9)));
}

#[test]
fn a_stall_that_reaches_out_of_idling_belongs_to_the_phase() {
    let idle = Stage::Loaded(Phase::Idle);
    let (mark, seal) = (Stage::Loaded(Phase::Mark), Stage::Loaded(Phase::Seal));
    let mut all = Latencies::default();
    all.record(Op::Get, (idle, idle), nanos(100));
    all.record(Op::Get, (idle, mark), nanos(300));
    all.record(Op::Get, (seal, idle), nanos(200));
    all.record(Op::Put, (Stage::Checking, Stage::Checking), nanos(9000));
    let total = |stage| all.of(Op::Get, stage).total();
    assert_eq!((total(idle), total(mark), total(seal)), (1, 1, 1));
    assert_eq!(all.worst(Op::Get), nanos(300));
    assert_eq!(all.worst(Op::Put), nanos(0), "a check is no load");
    let table = all.to_string();
    let row = table.lines().find(|line| line.starts_with("get        mark")).unwrap();
    assert!(row.ends_with("3.00"), "{row}");
}
