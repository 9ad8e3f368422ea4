//! The benches themselves, on a chain of a few thousand blocks.

use splitstore_benches::{Ground, Hits, Reader, Side, Size, Table, catalogue};

#[test]
fn every_work_is_measured_on_both_sides() {
    let folder = tempfile::tempdir().unwrap();
    let ground = Ground::new(folder.path(), Size::Test).unwrap();
    let mut catalogue = catalogue(&ground);
    let mut works = Vec::new();
    for rounds in &mut catalogue {
        for (index, work) in rounds.works().iter().enumerate() {
            works.push(work.name);
            for side in [Side::Ours, Side::Raw] {
                assert!(rounds.sample(index, side, 0).unwrap().as_nanos() > 0, "{} {side:?}", work.name);
            }
        }
    }
    let table = Table::of(&ground, &catalogue);
    assert_eq!(table.works(), works);
    assert_eq!(table.markdown().lines().count(), works.len() + 4);
}

#[test]
fn what_was_not_asked_for_is_not_in_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let ground = Ground::new(folder.path(), Size::Test).unwrap();
    let mut catalogue = catalogue(&ground);
    catalogue[0].sample(0, Side::Raw, 7).unwrap();
    assert_eq!(Table::of(&ground, &catalogue).works(), ["put"]);
}

#[test]
fn hits_are_timed_against_the_engine_and_the_engine_against_itself() {
    let folder = tempfile::tempdir().unwrap();
    let ground = Ground::new(folder.path(), Size::Test).unwrap();
    let hits = Hits::new(&ground).unwrap();
    let chunks = hits.chunks(6).unwrap();
    for reader in [Reader::Engine, Reader::Control, Reader::Store] {
        assert!(chunks.nanos(reader) > 0.0, "{reader:?}");
    }
    assert_eq!(chunks.ratio(Reader::Engine, 500).to_bits(), 1.0_f64.to_bits());
    assert_eq!(chunks.to_string().lines().count(), 5);
    // A record is a codec of one byte and the data.
    let [engine, store] = [Reader::Engine, Reader::Store].map(|reader| hits.count(reader).unwrap());
    assert_eq!(engine, (store.0, store.1 + store.0 as u64));
}
