//! When a compaction starts.

use splitstore_domain::trigger::{Decision, Why, decide};
use splitstore_domain::{Epoch, EpochSpan, Policy, Settings, Window};

fn policy() -> Policy {
    Policy::new(Settings::default()).unwrap()
}

fn waits(head: u64, base: u64) -> bool {
    matches!(decide(Epoch::new(head), Epoch::new(base), &policy()), Decision::Wait(_))
}

#[test]
fn a_head_exactly_the_threshold_past_the_base_waits() {
    let span = EpochSpan::new(4500);
    let wait = Decision::Wait(Why::BelowThreshold { span, threshold: span });
    assert_eq!(decide(Epoch::new(14_500), Epoch::new(10_000), &policy()), wait);
}

#[test]
fn a_head_one_epoch_further_compacts_with_the_window_of_that_head() {
    let (head, base) = (Epoch::new(14_501), Epoch::new(10_000));
    let window = Window { base, messages_from: Epoch::new(10_901), boundary: Epoch::new(10_901), head };
    assert_eq!(decide(head, base, &policy()), Decision::Compact(window));
}

#[test]
fn a_young_chain_waits_until_it_is_longer_than_the_threshold() {
    assert!(waits(0, 0));
    assert!(waits(4500, 0));
    assert!(!waits(4501, 0));
}

#[test]
fn a_head_below_the_base_waits() {
    assert!(waits(5, 9_000));
}

#[test]
fn after_a_compaction_the_next_one_is_a_threshold_away_from_its_boundary() {
    let Decision::Compact(first) = decide(Epoch::new(14_501), Epoch::new(10_000), &policy()) else {
        panic!("it compacts")
    };
    assert!(waits(first.boundary.height() + 4500, first.boundary.height()));
    assert!(!waits(first.boundary.height() + 4501, first.boundary.height()));
}

#[test]
fn the_boundary_of_a_compaction_lies_above_its_base() {
    for head in 4501..4600 {
        let Decision::Compact(window) = decide(Epoch::new(head), Epoch::GENESIS, &policy()) else {
            panic!("it compacts")
        };
        assert!(window.boundary > window.base);
    }
}

#[test]
fn waiting_says_why() {
    let Decision::Wait(why) = decide(Epoch::new(7), Epoch::GENESIS, &policy()) else { panic!("it waits") };
    assert_eq!(why.to_string(), "head is 7 epochs past the base, compaction starts beyond 4500");
}
