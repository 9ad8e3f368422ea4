//! Clauses of `VisitSet` and `VisitSetFactory`.

use std::sync::Arc;

use splitstore_domain::BlockKey;
use splitstore_ports::{MarkSet, Reading, Visit, VisitSet, VisitSetFactory};

use crate::marks::assert_all_marked;
use crate::sample;
use crate::universe::Universe;

const THREADS: u32 = 8;
const READINGS: [Reading; 3] = [Reading::Opaque, Reading::Dag, Reading::Header];

/// "Of all calls that ever visit one (key, reading), exactly one is told `true`."
pub fn a_visit_is_first_once(factory: &dyn VisitSetFactory) {
    let keys = sample::keys(0..5000);
    let universe = Universe::of(keys.clone());
    let set = create(factory, &universe);
    let visits = visits_of(&keys, Reading::Dag);
    assert_eq!(visit(&*set, &visits), vec![true; visits.len()]);
    assert_eq!(visit(&*set, &visits), vec![false; visits.len()]);
}

/// "A visit that stands twice in the batch is first once": at its first place.
pub fn a_visit_twice_in_a_batch_is_first_once(factory: &dyn VisitSetFactory) {
    let universe = Universe::empty();
    let set = create(factory, &universe);
    let (a, b) = (sample::key(1), sample::key(2));
    let visits = visits_of(&[a.clone(), b.clone(), a.clone(), a, b], Reading::Opaque);
    assert_eq!(visit(&*set, &visits), [true, true, false, false, false]);
}

/// "A block seen as opaque is still opened when it is met as DAG-CBOR, and one seen as plain DAG-CBOR is still
/// expanded when it is met as a header."
pub fn each_reading_is_a_visit_of_its_own(factory: &dyn VisitSetFactory) {
    let keys = sample::keys(0..300);
    let universe = Universe::of(keys.clone());
    let set = create(factory, &universe);
    for reading in READINGS {
        assert_eq!(visit(&*set, &visits_of(&keys, reading)), vec![true; keys.len()], "{reading:?}");
    }
    for reading in READINGS {
        assert_eq!(visit(&*set, &visits_of(&keys, reading)), vec![false; keys.len()], "{reading:?}");
    }
    let key = sample::key(1000);
    let both = READINGS.map(|reading| Visit { key: key.clone(), reading });
    assert_eq!(visit(&*set, &both), [true; 3], "in one batch");
}

/// "Whether it was made before; changes nothing."
pub fn asking_whether_a_visit_was_made_changes_nothing(factory: &dyn VisitSetFactory) {
    let keys = sample::keys(0..300);
    let universe = Universe::of(keys.clone());
    let set = create(factory, &universe);
    let visits = visits_of(&keys, Reading::Dag);
    let asked = |visits: &[Visit]| {
        let mut before = Vec::new();
        set.visited_many(visits, &mut before).expect("ask for visits");
        before
    };
    set.mark_many(&keys).expect("mark");
    assert_eq!(asked(&visits), vec![false; keys.len()], "marking is no visit");
    assert_eq!(visit(&*set, &visits), vec![true; keys.len()], "asking was no visit");
    assert_eq!(asked(&visits), vec![true; keys.len()]);
    assert_eq!(asked(&visits_of(&keys, Reading::Header)), vec![false; keys.len()], "another reading");
}

/// "The set that `seal` wrote, its visits included."
pub fn a_recovered_set_knows_its_visits(factory: &dyn VisitSetFactory) {
    let (visited, marked) = (sample::keys(0..300), sample::keys(300..600));
    let universe = Universe::of(visited.clone());
    let set = create(factory, &universe);
    visit(&*set, &visits_of(&visited, Reading::Dag));
    set.mark_many(&marked).expect("mark");
    let mut sealed = Vec::new();
    set.seal(&mut sealed).expect("seal");
    let place = Universe::empty();
    let recovered = factory.recover_visits(&mut sealed.as_slice(), &place.hint()).expect("recover");
    assert_all_marked(&*recovered, &visited);
    assert_all_marked(&*recovered, &marked);
    assert_eq!(visit(&*recovered, &visits_of(&visited, Reading::Dag)), vec![false; visited.len()]);
    assert_eq!(visit(&*recovered, &visits_of(&visited, Reading::Header)), vec![true; visited.len()]);
    assert_eq!(visit(&*recovered, &visits_of(&marked, Reading::Dag)), vec![true; marked.len()]);
    let cut = &sealed[..sealed.len() - 1];
    assert!(factory.recover_visits(&mut &*cut, &Universe::empty().hint()).is_err(), "cut by a byte");
}

/// "Marking alone (`mark_many`) is no visit: a later visit is still a first."
pub fn marking_is_not_visiting(factory: &dyn VisitSetFactory) {
    let keys = sample::keys(0..300);
    let universe = Universe::of(keys.clone());
    let set = create(factory, &universe);
    set.mark_many(&keys).expect("mark");
    assert_eq!(visit(&*set, &visits_of(&keys, Reading::Dag)), vec![true; keys.len()]);
    set.mark_many(&keys).expect("mark again");
    assert_eq!(visit(&*set, &visits_of(&keys, Reading::Dag)), vec![false; keys.len()]);
}

/// "A visited key is marked": under each reading, and what was marked alone is marked as in any mark set.
pub fn a_visited_key_is_marked(factory: &dyn VisitSetFactory) {
    let universe = Universe::of(sample::keys(0..400));
    let set = create(factory, &universe);
    assert!(set.is_empty());
    for (reading, numbers) in READINGS.into_iter().zip([0..100, 100..200, 200..300]) {
        visit(&*set, &visits_of(&sample::keys(numbers), reading));
    }
    set.mark_many(&sample::keys(300..400)).expect("mark");
    assert_all_marked(&*set, &sample::keys(0..400));
    assert!(!set.is_empty());
}

/// "`first`, for each visit in order": appended to what is there; also none.
pub fn first_answers_are_appended_in_order(factory: &dyn VisitSetFactory) {
    let universe = Universe::empty();
    let set = create(factory, &universe);
    visit(&*set, &visits_of(&sample::keys(0..10), Reading::Dag));
    let mut first = vec![true, false];
    set.visit_many(&[], &mut first).expect("visit nothing");
    set.visit_many(&visits_of(&sample::keys(9..12), Reading::Dag), &mut first).expect("visit");
    assert_eq!(first, [true, false, false, true, true]);
}

/// "Exactly one is told `true`, also among threads."
pub fn one_thread_alone_is_first(factory: &dyn VisitSetFactory) {
    let keys = sample::keys(0..2000);
    let universe = Universe::of(keys.clone());
    let set = create(factory, &universe);
    let mut total = vec![0_u32; keys.len()];
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let (set, keys) = (&set, &keys);
                scope.spawn(move || {
                    let batches = keys.chunks(50);
                    batches
                        .flat_map(|batch| visit(&**set, &visits_of(batch, Reading::Dag)))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        for thread in threads {
            let first = thread.join().expect("a visiting thread");
            total.iter_mut().zip(first).for_each(|(times, first)| *times += u32::from(first));
        }
    });
    let wrong = total.iter().filter(|times| **times != 1).count();
    assert_eq!(wrong, 0, "{wrong} of {} keys were first not exactly once", keys.len());
    assert_all_marked(&*set, &keys);
}

/// "`has_many` is exact: true only for what was visited or marked."
pub fn an_absent_key_is_never_found(factory: &dyn VisitSetFactory) {
    let universe = Universe::of(sample::keys(0..10_000));
    let set = create(factory, &universe);
    visit(&*set, &visits_of(&sample::keys(0..5000), Reading::Dag));
    set.mark_many(&sample::keys(5000..10_000)).expect("mark");
    assert_eq!(count_marked(&*set, &sample::keys(10_000..110_000)), 0, "absent keys were found");
}

/// Keys of any length are told apart, also those that begin alike.
pub fn keys_of_any_length_are_told_apart(factory: &dyn VisitSetFactory) {
    let universe = Universe::empty();
    let set = create(factory, &universe);
    let keys = [sample::sha2_512_block().0, sample::cid_v0_block().0, sample::block(1).0];
    let keys = keys.map(|cid| BlockKey::from(&cid));
    assert_eq!(visit(&*set, &visits_of(&keys, Reading::Opaque)), [true; 3]);
    assert_eq!(visit(&*set, &visits_of(&keys, Reading::Opaque)), [false; 3]);
    assert_all_marked(&*set, &keys);
}

/// "An empty set": of what other sets of one factory hold it knows nothing.
pub fn two_visit_sets_of_one_factory_are_apart(factory: &dyn VisitSetFactory) {
    let (here, there) = (Universe::empty(), Universe::empty());
    let (one, other) = (create(factory, &here), create(factory, &there));
    let visits = visits_of(&sample::keys(0..500), Reading::Dag);
    assert_eq!(visit(&*one, &visits), vec![true; 500]);
    assert_eq!(count_marked(&*other, &sample::keys(0..500)), 0);
    assert_eq!(visit(&*other, &visits), vec![true; 500]);
    assert!(!factory.name().is_empty());
}

/// How many of the keys are said to be marked.
pub(crate) fn count_marked(set: &dyn MarkSet, keys: &[BlockKey]) -> usize {
    let mut answers = Vec::new();
    set.has_many(keys, &mut answers).expect("ask for marks");
    answers.into_iter().filter(|marked| *marked).count()
}

fn create(factory: &dyn VisitSetFactory, universe: &Universe) -> Arc<dyn VisitSet> {
    factory.create(&universe.hint()).expect("create a visit set")
}

fn visits_of(keys: &[BlockKey], reading: Reading) -> Vec<Visit> {
    keys.iter().map(|key| Visit { key: key.clone(), reading }).collect()
}

fn visit(set: &dyn VisitSet, visits: &[Visit]) -> Vec<bool> {
    let mut first = Vec::new();
    set.visit_many(visits, &mut first).expect("visit");
    first
}
