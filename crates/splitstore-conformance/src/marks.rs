//! Clauses of `MarkSet` and `MarkSetFactory`.

use std::sync::Arc;

use splitstore_domain::BlockKey;
use splitstore_ports::{ErrorKind, MarkSet, MarkSetFactory};

use crate::universe::Universe;
use crate::{sample, visits};

/// Cuts and flips that are tried on one sealed set, at the most.
const DAMAGES: usize = 400;

/// "After `mark_many` returns, `has_many` answers true for each of its keys, for ever."
pub fn a_marked_key_is_always_found(factory: &dyn MarkSetFactory) {
    let keys = sample::keys(0..10_000);
    let universe = Universe::of(keys.clone());
    let set = create(factory, &universe);
    assert!(set.is_empty(), "a new set has no marks");
    for batch in keys.chunks(700) {
        set.mark_many(batch).expect("mark");
        assert_all_marked(&*set, batch);
    }
    assert_all_marked(&*set, &keys);
    assert!(!set.is_empty());
}

/// `expected` is "a hint, not a limit", and the universe is only what "will be asked about": other keys can be
/// marked too.
pub fn keys_outside_the_hint_are_marked_too(factory: &dyn MarkSetFactory) {
    let universe = Universe::of(sample::keys(0..100));
    let set = create(factory, &universe);
    let mut keys = sample::keys(1000..6000);
    keys.push(BlockKey::from(&sample::sha2_512_block().0));
    keys.push(BlockKey::from(&sample::cid_v0_block().0));
    set.mark_many(&keys).expect("mark outside the universe");
    assert_all_marked(&*set, &keys);
    let empty = Universe::empty();
    let set = create(factory, &empty);
    set.mark_many(&keys).expect("mark without a universe");
    assert_all_marked(&*set, &keys);
}

/// "Appends to `answers`, for each key in order."
pub fn answers_are_appended_in_order(factory: &dyn MarkSetFactory) {
    let universe = Universe::of(sample::keys(0..100));
    let set = create(factory, &universe);
    set.mark_many(&[]).expect("mark nothing");
    set.mark_many(&sample::keys(0..50)).expect("mark");
    let mut answers = vec![false; 3];
    set.has_many(&[], &mut answers).expect("ask nothing");
    set.has_many(&sample::keys(0..100), &mut answers).expect("ask");
    assert_eq!(answers.len(), 103);
    assert_eq!(&answers[..3], [false; 3], "what was there stays");
    assert_eq!(&answers[3..53], [true; 50]);
}

/// For keys that were not marked a set may answer true, but not for most of them: it would keep everything.
pub fn most_absent_keys_are_not_marked(factory: &dyn MarkSetFactory) {
    let universe = Universe::of(sample::keys(0..2000));
    let set = create(factory, &universe);
    set.mark_many(&sample::keys(0..1000)).expect("mark");
    let wrongly = visits::count_marked(&*set, &sample::keys(1000..2000));
    assert!(wrongly < 100, "{wrongly} of 1000 absent keys are said to be marked");
}

/// "Marking and asking from any number of threads."
pub fn marking_from_many_threads_loses_nothing(factory: &dyn MarkSetFactory) {
    let keys = sample::keys(0..8000);
    let universe = Universe::of(keys.clone());
    let set = create(factory, &universe);
    std::thread::scope(|scope| {
        for share in keys.chunks(1000) {
            let set = &set;
            scope.spawn(move || {
                for batch in share.chunks(64) {
                    set.mark_many(batch).expect("mark");
                    assert_all_marked(&**set, batch);
                }
            });
        }
    });
    assert_all_marked(&*set, &keys);
}

/// "A sealed set recovers with at least the marks it had when sealed."
pub fn a_sealed_set_recovers_all_marks(factory: &dyn MarkSetFactory) {
    for count in [0, 1, 5000] {
        let keys = sample::keys(0..count);
        let universe = Universe::of(keys.clone());
        let set = create(factory, &universe);
        set.mark_many(&keys).expect("mark");
        let sealed = seal(&*set);
        assert_all_marked(&*set, &keys);
        drop(set);
        let later = Universe::of(keys.clone());
        let recovered = factory.recover(&mut &sealed[..], &later.hint()).expect("recover");
        assert_all_marked(&*recovered, &keys);
        assert_eq!(recovered.is_empty(), count == 0);
    }
}

/// A set recovers when the store has other keys than it had at the seal: purge has deleted some meanwhile.
pub fn a_sealed_set_recovers_over_another_universe(factory: &dyn MarkSetFactory) {
    let keys = sample::keys(0..1000);
    let universe = Universe::of(sample::keys(0..2000));
    let set = create(factory, &universe);
    set.mark_many(&keys).expect("mark");
    let sealed = seal(&*set);
    for later in [Universe::empty(), Universe::of(sample::keys(500..1500))] {
        let recovered = factory.recover(&mut &sealed[..], &later.hint()).expect("recover");
        assert_all_marked(&*recovered, &keys);
    }
}

/// A recovered set takes further marks: protection goes on during the purge.
pub fn a_recovered_set_can_be_marked(factory: &dyn MarkSetFactory) {
    let universe = Universe::of(sample::keys(0..200));
    let set = create(factory, &universe);
    set.mark_many(&sample::keys(0..100)).expect("mark");
    let sealed = seal(&*set);
    let later = Universe::of(sample::keys(0..200));
    let recovered = factory.recover(&mut &sealed[..], &later.hint()).expect("recover");
    recovered.mark_many(&sample::keys(100..300)).expect("mark after recovery");
    assert_all_marked(&*recovered, &sample::keys(0..300));
}

/// "Input that is cut ... is `Corrupt`": wherever it is cut.
pub fn a_cut_seal_is_corrupt(factory: &dyn MarkSetFactory) {
    let universe = Universe::of(sample::keys(0..300));
    let set = create(factory, &universe);
    set.mark_many(&sample::keys(0..300)).expect("mark");
    let sealed = seal(&*set);
    for len in (0..sealed.len()).step_by(damage_step(&sealed)) {
        let later = Universe::of(sample::keys(0..300));
        let Err(error) = factory.recover(&mut &sealed[..len], &later.hint()) else {
            panic!("{len} of {} bytes were taken for a whole set", sealed.len())
        };
        assert_eq!(error.kind(), ErrorKind::Corrupt, "cut at {len}: {error}");
    }
}

/// "Input that is ... altered is `Corrupt`", as far as a set can tell without the caller's checksum: it may
/// recover to some set, but it neither panics nor fails in another way.
pub fn a_flipped_bit_does_no_harm(factory: &dyn MarkSetFactory) {
    let universe = Universe::of(sample::keys(0..100));
    let set = create(factory, &universe);
    set.mark_many(&sample::keys(0..100)).expect("mark");
    let sealed = seal(&*set);
    for at in (0..sealed.len()).step_by(damage_step(&sealed)) {
        let mut damaged = sealed.clone();
        damaged[at] ^= 1 << (at % 8);
        let later = Universe::of(sample::keys(0..100));
        match factory.recover(&mut &damaged[..], &later.hint()) {
            Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt, "bit flipped in byte {at}: {error}"),
            Ok(recovered) => {
                let mut answers = Vec::new();
                recovered.has_many(&sample::keys(0..100), &mut answers).expect("ask the damaged set");
                assert_eq!(answers.len(), 100);
            }
        }
    }
}

/// "An empty set": of what other sets of one factory hold it knows nothing.
pub fn two_sets_of_one_factory_are_apart(factory: &dyn MarkSetFactory) {
    let keys = sample::keys(0..1000);
    let (here, there) = (Universe::of(keys.clone()), Universe::of(keys.clone()));
    let (marked, other) = (create(factory, &here), create(factory, &there));
    marked.mark_many(&keys).expect("mark");
    assert!(other.is_empty());
    assert_eq!(visits::count_marked(&*other, &keys), 0, "an empty set has no marks");
    assert!(!factory.name().is_empty());
}

/// Every key must be marked.
pub(crate) fn assert_all_marked(set: &dyn MarkSet, keys: &[BlockKey]) {
    let mut answers = Vec::new();
    set.has_many(keys, &mut answers).expect("ask for marks");
    assert_eq!(answers.len(), keys.len(), "one answer per key");
    let lost = answers.iter().filter(|marked| !**marked).count();
    assert_eq!(lost, 0, "{lost} of {} marks are lost", keys.len());
}

fn create(factory: &dyn MarkSetFactory, universe: &Universe) -> Arc<dyn MarkSet> {
    factory.create(&universe.hint()).expect("create a mark set")
}

/// Odd, so that not always the same byte of a record is hit.
fn damage_step(sealed: &[u8]) -> usize {
    sealed.len().div_ceil(DAMAGES) | 1
}

fn seal(set: &dyn MarkSet) -> Vec<u8> {
    let mut sealed = Vec::new();
    set.seal(&mut sealed).expect("seal");
    sealed
}
