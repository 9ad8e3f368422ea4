//! What is planted is found, and named by the law that it breaks.

use splitstore_simulation::{Lie, Manner, Telling, simulate};

/// The laws that this lie breaks in so many seeds; every one of them must be among `laws`.
fn check(lie: Lie, seeds: u64, laws: &[&str]) {
    let manner = Manner { telling: Telling::Quiet, lie: Some(lie) };
    let broken: Vec<_> = (1..=seeds).filter_map(|seed| simulate(seed, &manner).finding).collect();
    assert!(!broken.is_empty(), "{lie:?} is not noticed in {seeds} seeds");
    for finding in &broken {
        let law = finding.broken.law();
        assert!(laws.iter().any(|expected| law.starts_with(expected)), "{lie:?} breaks {law}:\n{finding}");
    }
}

#[test]
fn a_lost_write_breaks_the_first_law() {
    check(Lie::LosesWrites, 5, &["law 1", "law 3", "no error"]);
}

#[test]
fn bent_bytes_are_noticed() {
    check(Lie::BendsBytes, 5, &["law 1", "law 3", "bytes", "no error"]);
}

#[test]
fn a_block_too_many_deleted_is_noticed() {
    check(Lie::DeletesMore, 5, &["law 1", "law 2", "law 3", "law 4", "law 8", "no error"]);
}

#[test]
fn garbage_that_stays_is_noticed() {
    check(Lie::DeletesNothing, 5, &["what is dead goes", "law 2"]);
}

#[test]
fn a_hot_tier_that_forgets_what_was_flushed_is_noticed() {
    // The sixth: it says that it has synced where a fault was ordered.
    check(Lie::HotSyncsNothing, 40, &["law 1", "law 2", "law 3", "law 6", "law 7", "no error"]);
}

#[test]
fn a_cold_tier_that_forgets_what_was_moved_is_noticed() {
    check(Lie::ColdSyncsNothing, 400, &["law 1", "law 2", "law 3", "law 6", "law 7", "no error"]);
}
