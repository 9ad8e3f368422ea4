//! How often the bloom set is wrong.

use splitstore_conformance::{Universe, sample};
use splitstore_marksets::BloomSets;
use splitstore_ports::MarkSetFactory;

use crate::sets::{expecting, has};

const ASKED: u64 = 200_000;

/// Of 200,000 absent keys, how many the set claims after `marked` marks under a hint.
fn wrongly_claimed(hint: u64, marked: u64) -> usize {
    let universe = Universe::empty();
    let set = BloomSets.create(&expecting(hint, &universe)).unwrap();
    set.mark_many(&sample::keys(0..marked)).unwrap();
    assert!(has(&*set, &sample::keys(0..marked)).iter().all(|&marked| marked));
    let missed = marked - set.len();
    assert!(missed * 100 < marked, "{missed} of {marked} marks changed nothing");
    has(&*set, &sample::keys(marked..marked + ASKED)).iter().filter(|&&claimed| claimed).count()
}

#[test]
fn at_the_size_of_its_hint_it_is_wrong_about_a_tenth_of_a_percent() {
    let wrong = wrongly_claimed(100_000, 100_000);
    println!("{wrong} of {ASKED}");
    assert!(wrong < 400, "{wrong} of {ASKED}");
}

#[test]
fn at_fifty_times_its_hint_it_is_still_wrong_about_less_than_a_percent() {
    let wrong = wrongly_claimed(4_000, 200_000);
    println!("{wrong} of {ASKED}");
    assert!(wrong < 2000, "{wrong} of {ASKED}");
}
