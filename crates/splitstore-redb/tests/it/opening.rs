//! Opening: what is ours opens, what is not is named and left as it is.

use std::fs;
use std::sync::Barrier;

use splitstore_conformance::sample;
use splitstore_ports::{ErrorKind, MetaCell, MetaStore};
use splitstore_redb::{RedbCold, RedbMeta};

use crate::place::{Place, assert_holds, options, put};

#[test]
fn what_a_killed_creation_left_does_not_hinder_opening() {
    let place = Place::new();
    // As a kill leaves it: the length is set, the magic is not there yet.
    fs::write(place.file("cold.redb.new-4711-0"), vec![0; 1_056_768]).unwrap();
    fs::write(place.file("cold.redb.newer"), b"not ours").unwrap();
    let store = place.open().unwrap();
    put(&store, &sample::blocks(0..5));
    assert_holds(&store, &sample::blocks(0..5));
    assert_eq!(place.names(), ["cold.redb", "cold.redb.newer"]);
}

#[test]
fn a_creation_killed_after_its_link_opens_and_is_tidied() {
    let blocks = sample::blocks(0..5);
    let place = Place::with(&blocks);
    fs::hard_link(place.cold(), place.file("cold.redb.new-4711-0")).unwrap();
    assert_holds(&place.open().unwrap(), &blocks);
    assert_eq!(place.names(), ["cold.redb"]);
}

#[test]
fn an_empty_or_foreign_file_is_corrupt_and_stays_as_it_is() {
    let garbage = sample::noise(1, 300_000);
    for content in [&[][..], b"x", b"hello, this is no database", &garbage] {
        let place = Place::new();
        fs::write(place.cold(), content).unwrap();
        let error = place.open().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert!(error.attempt().contains(&place.cold().display().to_string()), "{error}");
        assert_eq!(fs::read(place.cold()).unwrap(), content, "{} bytes", content.len());
        let error = RedbMeta::open(place.cold()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    }
}

#[test]
fn a_file_cut_at_any_length_is_never_a_panic() {
    let blocks = sample::blocks(0..100);
    let whole = fs::read(Place::with(&blocks).cold()).unwrap();
    for eighth in 0..8 {
        let place = Place::new();
        let len = whole.len() * eighth / 8 + 7;
        fs::write(place.cold(), &whole[..len]).unwrap();
        if let Err(error) = place.open() {
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{len}: {error}");
        }
    }
}

#[test]
fn a_file_of_the_other_kind_is_corrupt_and_keeps_its_content() {
    let place = Place::new();
    let path = place.cold();
    RedbMeta::open(&path).unwrap().set_many(&[(MetaCell::Head, vec![7])]).unwrap();
    assert_eq!(place.open().unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(RedbMeta::open(&path).unwrap().get(MetaCell::Head).unwrap(), Some(vec![7]));
}

#[test]
fn a_newer_layout_is_refused_by_name() {
    let place = Place::new();
    let database = redb::Database::create(place.cold()).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(redb::TableDefinition::<&[u8], &[u8]>::new("blocks.v2")).unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert_eq!(place.open().unwrap_err().kind(), ErrorKind::TooNew);
}

#[test]
fn a_second_handle_is_locked_out_and_told_the_path() {
    let place = Place::new();
    let _store = place.open().unwrap();
    let error = place.open().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked, "{error}");
    assert!(error.attempt().contains(&place.cold().display().to_string()), "{error}");
}

#[test]
fn of_many_that_create_at_once_one_gets_the_store_and_loses_nothing() {
    for _ in 0..20 {
        let place = Place::new();
        let barrier = Barrier::new(4);
        let opened: Vec<_> = std::thread::scope(|scope| {
            let opener = || {
                barrier.wait();
                let store = place.open();
                if let Ok(store) = &store {
                    put(store, &sample::blocks(0..5));
                }
                barrier.wait();
                store
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(opener)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(opened.iter().filter(|store| store.is_ok()).count() <= 1);
        let held = opened.into_iter().find_map(Result::ok);
        if held.is_some() {
            drop(held);
            assert_holds(&place.open().unwrap(), &sample::blocks(0..5));
        }
        place.open().unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_link_is_refused_and_a_new_file_is_private() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let place = Place::with(&sample::blocks(0..5));
    assert_eq!(fs::metadata(place.cold()).unwrap().permissions().mode() & 0o777, 0o600);
    let link = place.file("link.redb");
    symlink(place.cold(), &link).unwrap();
    assert_eq!(RedbCold::open(&link, options()).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn a_folder_that_is_not_there_is_an_error_with_the_path() {
    let place = Place::new();
    let path = place.file("nowhere").join("cold.redb");
    let error = RedbCold::open(&path, options()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.attempt().contains("nowhere"), "{error}");
}
