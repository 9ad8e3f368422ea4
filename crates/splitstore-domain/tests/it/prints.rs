//! Plans and reports as an operator reads them.

use std::time::Duration;

use insta::assert_snapshot;
use splitstore_domain::{
    ByteCount, ColdPolicy, CompactionPlan, CompactionReport, Epoch, MarkReport, Phase, PhaseReport, Policy,
    Settings, Shortfall, Tally, TierSizes, Window,
};

fn tally(blocks: u64, bytes: u64) -> Tally {
    Tally { blocks, bytes: ByteCount(bytes) }
}

fn plan() -> CompactionPlan {
    let policy = Policy::new(Settings { message_retention_finalities: 1, ..Settings::default() }).unwrap();
    CompactionPlan {
        window: Window::at(Epoch::new(5_432_100), Epoch::new(5_427_000), &policy),
        policy: ColdPolicy::Messages,
        keep: tally(48_123_456, 30 << 30),
        copy: tally(345, 67_890),
        transfer: tally(1_234_567, 700 << 20),
        drop: tally(89, 4096),
        missing: 12,
        missing_listed: Vec::new(),
    }
}

fn report() -> CompactionReport {
    let line = |phase, objects, bytes, millis| PhaseReport {
        phase,
        objects,
        bytes: ByteCount(bytes),
        duration: Duration::from_millis(millis),
    };
    CompactionReport {
        marking: MarkReport::default(),
        index: 7,
        plan: plan(),
        phases: vec![
            line(Phase::Prepare, 0, 0, 0),
            line(Phase::Mark, 48_123_456, 31 << 30, 912_345),
            line(Phase::Collect, 49_358_112, 0, 61_000),
            line(Phase::Transfer, 1_234_567, 700 << 20, 9_876),
            line(Phase::Seal, 48_123_456, 0, 1_500),
            line(Phase::Purge, 1_234_600, 700 << 20, 12_000),
            line(Phase::Commit, 0, 0, 30_250),
        ],
        purge: None,
        shortfall: Shortfall::default(),
        spared: 56,
        before: TierSizes { hot: Some(ByteCount(33 << 30)), cold: None },
        after: TierSizes { hot: Some(ByteCount(31 << 30)), cold: None },
    }
}

#[test]
fn a_plan_prints_the_fate_of_every_block() {
    assert_snapshot!(plan());
}

#[test]
fn a_plan_of_nothing_prints_zeros() {
    let window = Window::at(Epoch::GENESIS, Epoch::GENESIS, &Policy::new(Settings::default()).unwrap());
    let zero = Tally::default();
    let policy = ColdPolicy::Universal;
    assert_snapshot!(CompactionPlan {
        window,
        policy,
        keep: zero,
        copy: zero,
        transfer: zero,
        drop: zero,
        missing: 0,
        missing_listed: Vec::new()
    });
}

#[test]
fn a_report_prints_a_line_per_phase_and_the_sizes_it_knows() {
    assert_snapshot!(report());
}

#[test]
fn candidates_are_what_is_transferred_and_what_is_dropped() {
    assert_eq!(plan().candidates(), tally(1_234_656, (700 << 20) + 4096));
}

#[test]
fn a_tally_counts_blocks_and_their_bytes() {
    let mut counted = Tally::default();
    counted.add(5);
    counted.add(0);
    assert_eq!(counted, tally(2, 5));
}

#[test]
fn a_run_takes_as_long_as_its_phases() {
    assert_eq!(report().duration(), Duration::from_millis(1_026_971));
}

#[test]
fn a_rate_is_per_second_and_nothing_where_no_time_passed() {
    let line =
        |millis| PhaseReport { objects: 500, duration: Duration::from_millis(millis), ..Default::default() };
    assert!((line(250).rate() - 2000.0).abs() < 1e-9);
    assert!(line(0).rate().abs() < 1e-9);
}
