//! Settings that make sense, and settings that do not.

use splitstore_domain::trigger::{Decision, decide};
use splitstore_domain::{ColdPolicy, Epoch, EpochSpan, Policy, PolicyError, Settings};

fn refusal(settings: Settings) -> PolicyError {
    Policy::new(settings).unwrap_err()
}

#[test]
fn the_defaults_are_the_windows_of_lotus_and_lose_nothing() {
    let policy = Policy::new(Settings::default()).unwrap();
    assert_eq!(policy.threshold(), EpochSpan::new(4500));
    assert_eq!(policy.boundary(), EpochSpan::new(3600));
    assert_eq!(policy.message_retention(), EpochSpan::new(0));
    assert_eq!(policy.cold(), ColdPolicy::Universal);
    assert_eq!(policy.settings(), &Settings::default());
}

#[test]
fn a_boundary_at_or_beyond_the_threshold_is_refused() {
    for (boundary, threshold) in [(5, 5), (6, 5), (0, 0), (u64::MAX, u64::MAX)] {
        let settings = Settings {
            boundary_finalities: boundary,
            threshold_finalities: threshold,
            ..Settings::default()
        };
        let error = refusal(settings);
        assert_eq!(error, PolicyError::BoundaryBeyondThreshold { boundary, threshold });
        assert!(error.to_string().contains(&boundary.to_string()), "{error}");
    }
}

#[test]
fn a_boundary_just_below_the_threshold_and_no_boundary_are_taken() {
    for boundary in [0, 1, 4] {
        let settings = Settings { boundary_finalities: boundary, ..Settings::default() };
        assert_eq!(Policy::new(settings).unwrap().boundary(), EpochSpan::new(boundary * 900));
    }
}

#[test]
fn a_finality_of_no_epochs_is_refused() {
    assert_eq!(refusal(Settings { finality_epochs: 0, ..Settings::default() }), PolicyError::NoFinality);
}

#[test]
fn a_threshold_beyond_the_largest_epoch_is_never_exceeded() {
    let policy = Policy::new(Settings { finality_epochs: u64::MAX, ..Settings::default() }).unwrap();
    assert_eq!(policy.threshold(), EpochSpan::new(u64::MAX));
    let decision = decide(Epoch::new(u64::MAX), Epoch::GENESIS, &policy);
    assert!(matches!(decision, Decision::Wait(_)));
}

#[test]
fn message_retention_counts_in_finalities() {
    let settings = Settings { message_retention_finalities: 2, ..Settings::default() };
    assert_eq!(Policy::new(settings).unwrap().message_retention(), EpochSpan::new(1800));
}

#[test]
fn cold_policies_read_back_from_the_word_they_print() {
    for policy in [ColdPolicy::Universal, ColdPolicy::Messages, ColdPolicy::Discard] {
        assert_eq!(policy.to_string().parse(), Ok(policy));
    }
    assert_eq!(ColdPolicy::default(), ColdPolicy::Universal);
}

#[test]
fn an_unknown_cold_policy_is_an_error_that_names_it_and_the_known_ones() {
    for name in ["", "Universal", "everything"] {
        let error = name.parse::<ColdPolicy>().unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("unknown cold policy `{name}`: universal, messages or discard")
        );
    }
}
