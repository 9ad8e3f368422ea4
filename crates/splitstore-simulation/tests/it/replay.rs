//! A seed is the same each time, and many seeds pass.

use splitstore_simulation::{Coverage, Manner, Telling, simulate};

fn manner() -> Manner {
    Manner { telling: Telling::Quiet, lie: None }
}

/// The product draws secrets and spreads references over hashed shards: none of that may change what happens.
#[test]
fn the_same_seed_twice_leaves_the_same_trace() {
    for seed in 1..=60 {
        let traces = [(); 2].map(|()| simulate(seed, &manner()).trace_hash);
        assert_eq!(traces[0], traces[1], "seed {seed}");
    }
}

#[test]
fn two_seeds_are_two_stories() {
    assert_ne!(simulate(1, &manner()).trace_hash, simulate(2, &manner()).trace_hash);
}

#[test]
fn three_hundred_seeds_pass_and_sealed_runs_are_resumed() {
    let mut coverage = Coverage::default();
    for seed in 1..=300 {
        let outcome = simulate(seed, &manner());
        assert!(outcome.finding.is_none(), "seed {seed}\n{}", outcome.finding.unwrap());
        coverage.add(&outcome.coverage);
    }
    for what in
        ["run: finished", "open: resumed a sealed run", "act: reorg within finality", "act: hold a reader"]
    {
        assert!(coverage.of(what) > 20, "{what}: {}", coverage.of(what));
    }
}
