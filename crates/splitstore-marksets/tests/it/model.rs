//! Visits and marks in any order, against a map.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use splitstore_conformance::{Universe, sample};
use splitstore_marksets::{DiskSets, ExactSets};
use splitstore_ports::{MarkSetFactory, Reading, Visit, VisitSetFactory};

use crate::sets::{has, sealed};

#[derive(Debug, Clone)]
enum Step {
    Mark(Vec<u64>),
    Visit(Vec<(u64, Reading)>),
}

const KEYS: u64 = 400;

fn reading() -> impl Strategy<Value = Reading> {
    prop_oneof![Just(Reading::Opaque), Just(Reading::Dag), Just(Reading::Header)]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let mark = prop::collection::vec(0..KEYS, 0..200).prop_map(Step::Mark);
    let visit = prop::collection::vec((0..KEYS, reading()), 0..200).prop_map(Step::Visit);
    prop::collection::vec(prop_oneof![1 => mark, 2 => visit], 1..15)
}

/// Every answer of the set is the map's, and so is every answer of the set recovered from its seal.
fn agrees_with_a_map<F: VisitSetFactory + MarkSetFactory>(factory: &F, steps: &[Step]) {
    let universe = Universe::empty();
    let set = VisitSetFactory::create(factory, &universe.hint()).unwrap();
    let mut model: BTreeMap<u64, BTreeSet<Reading>> = BTreeMap::new();
    for step in steps {
        match step {
            Step::Mark(numbers) => {
                for &number in numbers {
                    model.entry(number).or_default();
                }
                let keys: Vec<_> = numbers.iter().map(|&number| sample::key(number)).collect();
                set.mark_many(&keys).unwrap();
            }
            Step::Visit(pairs) => {
                let expected: Vec<_> = pairs
                    .iter()
                    .map(|&(number, reading)| model.entry(number).or_default().insert(reading))
                    .collect();
                let visits: Vec<_> =
                    pairs.iter().map(|&(n, reading)| Visit { key: sample::key(n), reading }).collect();
                let mut first = Vec::new();
                set.visit_many(&visits, &mut first).unwrap();
                assert_eq!(first, expected);
            }
        }
        assert_eq!(set.len(), model.len() as u64);
    }
    let keys = sample::keys(0..KEYS);
    let expected: Vec<_> = (0..KEYS).map(|number| model.contains_key(&number)).collect();
    assert_eq!(has(&*set, &keys), expected);
    let recovered = factory.recover(&mut sealed(&*set).as_slice(), &universe.hint()).unwrap();
    assert_eq!(has(&*recovered, &keys), expected);
    assert_eq!(recovered.len(), model.len() as u64);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn the_exact_set_answers_like_a_map(steps in steps()) {
        agrees_with_a_map(&ExactSets, &steps);
    }

    #[test]
    fn a_disk_set_that_spills_all_the_time_answers_like_a_map(steps in steps(), buffer in 1_usize..60) {
        agrees_with_a_map(&DiskSets::with_buffer(buffer), &steps);
    }
}
