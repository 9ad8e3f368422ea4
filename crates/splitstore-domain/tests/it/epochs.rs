//! Epochs stop at genesis, spans at the largest number.

use splitstore_domain::{Epoch, EpochSpan};

#[test]
fn the_span_between_two_epochs_is_their_distance() {
    assert_eq!(Epoch::new(9).since(Epoch::new(4)), EpochSpan::new(5));
}

#[test]
fn the_span_since_a_later_epoch_is_nothing() {
    assert_eq!(Epoch::new(4).since(Epoch::new(9)), EpochSpan::new(0));
    assert_eq!(Epoch::GENESIS.since(Epoch::new(u64::MAX)), EpochSpan::new(0));
}

#[test]
fn going_back_beyond_genesis_is_genesis() {
    assert_eq!(Epoch::new(9).back(EpochSpan::new(4)), Epoch::new(5));
    assert_eq!(Epoch::new(9).back(EpochSpan::new(9)), Epoch::GENESIS);
    assert_eq!(Epoch::new(9).back(EpochSpan::new(10)), Epoch::GENESIS);
    assert_eq!(Epoch::GENESIS.back(EpochSpan::new(u64::MAX)), Epoch::GENESIS);
}

#[test]
fn a_span_many_times_over_stops_at_the_largest() {
    assert_eq!(EpochSpan::new(900).times(4), EpochSpan::new(3600));
    assert_eq!(EpochSpan::new(900).times(0), EpochSpan::new(0));
    assert_eq!(EpochSpan::new(u64::MAX / 2).times(3), EpochSpan::new(u64::MAX));
}

#[test]
fn epochs_and_spans_print_as_their_number_and_pad() {
    assert_eq!(format!("{} {}", Epoch::new(7), EpochSpan::new(8)), "7 8");
    assert_eq!(format!("{:>4}|{:<4}|", Epoch::new(7), EpochSpan::new(8)), "   7|8   |");
}
