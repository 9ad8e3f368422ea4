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
fn three_stores_see_both_ways_of_purging_and_six_both_under_each_policy() {
    let kinds = |lives| {
        let lives = (0..lives).map(|number| Life::new(7, number, Load::Crash));
        let kinds = lives.map(|life| (life.cold().name(), format!("{:?}", life.settings().purge)));
        kinds.collect::<Vec<_>>()
    };
    let ways: BTreeSet<_> = kinds(3).into_iter().map(|(_, way)| way).collect();
    assert_eq!(ways.len(), 2);
    assert_eq!(kinds(6).into_iter().collect::<BTreeSet<_>>().len(), 6);
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
    let plans = |last| {
        let mut plans = Plans::new(3, End::Kill);
        plans.hit(last);
        (0..200).map(|_| plans.next(&Tally::default())).collect::<Vec<_>>()
    };
    let openings = |last| plans(last).iter().filter(|plan| matches!(plan, Kill::Opening(_))).count();
    let resumed = |last| plans(last).iter().filter(|plan| matches!(plan, Kill::Resumed(_))).count();
    let (mark, purge) = (Stage::Loaded(Phase::Mark), Stage::Loaded(Phase::Purge));
    assert_eq!((openings(mark), resumed(mark)), (0, 0));
    assert!(openings(purge) > 10 && resumed(purge) > 10);
}

#[test]
fn power_is_cut_again_while_the_store_recovers() {
    let mut plans = Plans::new(3, End::PowerCut);
    plans.hit(Stage::Loaded(Phase::Mark));
    let again = (0..400).filter(|_| matches!(plans.next(&Tally::default()), Kill::Opening(_))).count();
    assert!((150..250).contains(&again), "{again} of 400");
}
