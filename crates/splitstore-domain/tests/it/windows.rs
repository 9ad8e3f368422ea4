//! The cut of a compaction.

use proptest::prelude::*;
use splitstore_domain::{Epoch, Policy, Settings, Window};

fn window(head: u64, retention: u64) -> Window {
    let settings = Settings { message_retention_finalities: retention, ..Settings::default() };
    Window::at(Epoch::new(head), Epoch::new(1), &Policy::new(settings).unwrap())
}

#[test]
fn the_boundary_lies_its_finalities_behind_the_head() {
    let window = window(10_000, 0);
    assert_eq!((window.head, window.base), (Epoch::new(10_000), Epoch::new(1)));
    assert_eq!((window.boundary, window.messages_from), (Epoch::new(6400), Epoch::new(6400)));
}

#[test]
fn messages_are_kept_from_their_retention_before_the_boundary() {
    assert_eq!(window(10_000, 2).messages_from, Epoch::new(4600));
    assert_eq!(window(10_000, 2).boundary, Epoch::new(6400));
}

#[test]
fn on_a_chain_shorter_than_the_boundary_everything_is_kept_from_genesis() {
    for head in [0, 1, 3599, 3600] {
        let window = window(head, 3);
        assert_eq!((window.boundary, window.messages_from), (Epoch::GENESIS, Epoch::GENESIS));
    }
    assert_eq!(window(3601, 3).boundary, Epoch::new(1));
    assert_eq!(window(3601, 3).messages_from, Epoch::GENESIS);
}

#[test]
fn a_window_prints_its_four_heights() {
    assert_eq!(window(10_000, 1).to_string(), "base 1, messages from 5500, boundary 6400, head 10000");
}

proptest! {
    #[test]
    fn messages_start_at_or_below_the_boundary_and_that_at_or_below_the_head(
        head: u64, finality_epochs in 1_u64.., boundary in 0_u64..1000, retention: u64,
    ) {
        let settings = Settings {
            finality_epochs,
            threshold_finalities: 1000,
            boundary_finalities: boundary,
            message_retention_finalities: retention,
            ..Settings::default()
        };
        if let Ok(policy) = Policy::new(settings) {
            let window = Window::at(Epoch::new(head), Epoch::GENESIS, &policy);
            prop_assert!(window.messages_from <= window.boundary && window.boundary <= window.head);
        }
    }
}
