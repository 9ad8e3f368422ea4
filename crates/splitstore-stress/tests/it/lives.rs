//! What follows from a seed: stores, and plans of kills.

use std::collections::BTreeSet;

use splitstore::domain::Phase;
use splitstore_stress::crash::End;
use splitstore_stress::{Kill, Life, Load, Plans, Stage, Tally};

#[test]
fn three_stores_of_any_seed_have_the_three_cold_policies() {
    for seed in 0..20 {
        let policies = (0..3).map(|number| Life::new(seed, number, Load::Crash).cold().name());
        assert_eq!(policies.collect::<BTreeSet<_>>().len(), 3, "seed {seed}");
    }
}

#[test]
fn a_seed_says_all_about_its_stores() {
    let [one, two] = [1, 1].map(|seed| Life::new(seed, 4, Load::Crash));
    assert_eq!((one.seed, *one.settings()), (two.seed, *two.settings()));
    assert_ne!(one.seed, Life::new(2, 4, Load::Crash).seed);
    assert_ne!(one.seed, Life::new(1, 5, Load::Crash).seed);
}

#[test]
fn plans_aim_at_the_phases_that_were_hit_least() {
    let (mut plans, mut tally) = (Plans::new(3, End::Kill), Tally::default());
    for _ in 0..200 {
        if let Kill::Phase { phase, .. } = plans.next(&tally) {
            tally.kill(Stage::Loaded(phase));
        }
    }
    let hits = Phase::RUN.map(|phase| tally.kills(Stage::Loaded(phase)));
    let (most, least) = (hits.iter().max().unwrap(), hits.iter().min().unwrap());
    assert!(*least >= 10 && most - least <= 1, "{hits:?}");
}

#[test]
fn an_opening_is_a_target_only_where_there_is_something_to_recover() {
    let openings = |last| {
        let mut plans = Plans::new(3, End::Kill);
        plans.hit(last);
        (0..200).filter(|_| matches!(plans.next(&Tally::default()), Kill::Opening(_))).count()
    };
    assert_eq!(openings(Stage::Loaded(Phase::Mark)), 0);
    assert!(openings(Stage::Loaded(Phase::Purge)) > 20);
}

#[test]
fn power_is_cut_again_while_the_store_recovers() {
    let mut plans = Plans::new(3, End::PowerCut);
    plans.hit(Stage::Loaded(Phase::Mark));
    let again = (0..400).filter(|_| matches!(plans.next(&Tally::default()), Kill::Opening(_))).count();
    assert!((150..250).contains(&again), "{again} of 400");
}
