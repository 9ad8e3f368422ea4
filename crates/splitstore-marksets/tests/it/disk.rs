//! The disk set's files: many spills and merges, damage, and what stays behind.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use splitstore_conformance::{Universe, sample};
use splitstore_domain::BlockKey;
use splitstore_marksets::DiskSets;
use splitstore_ports::{ErrorKind, MarkSet, MarkSetFactory, Reading, Visit, VisitSet, VisitSetFactory};

use crate::sets::{has, sealed};

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn visit(set: &dyn VisitSet, keys: &[BlockKey], reading: Reading) -> Vec<bool> {
    let visits: Vec<_> = keys.iter().map(|key| Visit { key: key.clone(), reading }).collect();
    let mut first = Vec::new();
    set.visit_many(&visits, &mut first).unwrap();
    first
}

#[test]
fn it_survives_hundreds_of_spills_and_merges_with_few_files() {
    let universe = Universe::empty();
    let set = VisitSetFactory::create(&DiskSets::with_buffer(100), &universe.hint()).unwrap();
    let keys = sample::keys(0..50_000);
    for (number, batch) in keys.chunks(77).enumerate() {
        assert!(visit(&*set, batch, Reading::Dag).iter().all(|&first| first), "batch {number}");
    }
    assert_eq!(set.len(), 50_000);
    // 500 spills, fan-in 4: at most three runs on each of five levels.
    let runs = files(universe.hint().folder).len();
    assert!((1..=15).contains(&runs), "{runs} runs");
    assert!(visit(&*set, &keys, Reading::Dag).iter().all(|&first| !first));
    assert!(visit(&*set, &keys[..20_000], Reading::Header).iter().all(|&first| first));
    assert!(visit(&*set, &keys[..20_000], Reading::Header).iter().all(|&first| !first));
    assert!(visit(&*set, &keys[..20_000], Reading::Dag).iter().all(|&first| !first));
    assert_eq!(set.len(), 50_000);
    assert!(has(&*set, &keys).iter().all(|&marked| marked));
    assert!(has(&*set, &sample::keys(50_000..100_000)).iter().all(|&marked| !marked));
}

#[test]
fn a_recovered_set_spills_too_and_may_share_the_folder() {
    let universe = Universe::empty();
    let factory = DiskSets::with_buffer(100);
    let set = MarkSetFactory::create(&factory, &universe.hint()).unwrap();
    set.mark_many(&sample::keys(0..5000)).unwrap();
    let recovered = factory.recover(&mut sealed(&*set).as_slice(), &universe.hint()).unwrap();
    set.mark_many(&sample::keys(5000..6000)).unwrap();
    recovered.mark_many(&sample::keys(6000..7000)).unwrap();
    drop(set);
    assert_eq!(recovered.len(), 6000);
    assert_eq!(sealed(&*recovered).len(), 3 + 192 + 6000 * 17 + 2 * 4 + 4 + 8 + 8);
    let expected: Vec<_> = (0..7000).map(|number| !(5000..6000).contains(&number)).collect();
    assert_eq!(has(&*recovered, &sample::keys(0..7000)), expected);
}

#[test]
fn its_files_go_with_it() {
    let universe = Universe::empty();
    let set = MarkSetFactory::create(&DiskSets::with_buffer(100), &universe.hint()).unwrap();
    set.mark_many(&sample::keys(0..1000)).unwrap();
    assert!(!files(universe.hint().folder).is_empty());
    drop(set);
    assert!(files(universe.hint().folder).is_empty());
}

/// A set of 1000 keys that is all in files.
fn on_disk(universe: &Universe) -> std::sync::Arc<dyn MarkSet> {
    let set = MarkSetFactory::create(&DiskSets::with_buffer(100), &universe.hint()).unwrap();
    set.mark_many(&sample::keys(0..1000)).unwrap();
    assert!(!files(universe.hint().folder).is_empty());
    set
}

/// Asked key by key, every key is there or its page is an error that names the file; never "absent".
fn damage_is_never_absence(set: &dyn MarkSet) {
    let mut errors = 0;
    for key in sample::keys(0..1000) {
        let mut answers = Vec::new();
        match set.has_many(&[key], &mut answers) {
            Ok(()) => assert_eq!(answers, [true]),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Corrupt);
                assert!(error.attempt().contains("page ") && error.attempt().contains("run-"), "{error}");
                errors += 1;
            }
        }
    }
    assert!(errors > 0, "no key met the damage");
    assert_eq!(set.seal(&mut Vec::new()).unwrap_err().kind(), ErrorKind::Corrupt);
    assert!(set.mark_many(&sample::keys(0..1000)).is_err());
}

#[test]
fn a_flipped_bit_in_a_run_is_an_error() {
    let universe = Universe::empty();
    let set = on_disk(&universe);
    for path in files(universe.hint().folder) {
        let file = fs::File::options().read(true).write(true).open(path).unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, 170).unwrap();
        file.write_all_at(&[byte[0] ^ 4], 170).unwrap();
    }
    damage_is_never_absence(&*set);
}

#[test]
fn a_page_in_the_place_of_another_is_an_error() {
    let universe = Universe::empty();
    let set = on_disk(&universe);
    for path in files(universe.hint().folder) {
        let mut bytes = fs::read(&path).unwrap();
        if bytes.len() >= 2 * 4096 {
            bytes.copy_within(4096..2 * 4096, 0);
            fs::write(path, bytes).unwrap();
        }
    }
    damage_is_never_absence(&*set);
}

#[test]
fn a_cut_run_is_an_error() {
    let universe = Universe::empty();
    let set = on_disk(&universe);
    for path in files(universe.hint().folder) {
        fs::File::options().write(true).open(path).unwrap().set_len(100).unwrap();
    }
    damage_is_never_absence(&*set);
}

#[test]
fn a_spill_that_fails_is_an_error_and_loses_no_mark() {
    let universe = Universe::empty();
    let set = MarkSetFactory::create(&DiskSets::with_buffer(100), &universe.hint()).unwrap();
    set.mark_many(&sample::keys(0..99)).unwrap();
    fs::remove_dir(universe.hint().folder).unwrap();
    let error = set.mark_many(&sample::keys(99..150)).unwrap_err();
    assert!(error.attempt().contains("write ") && error.attempt().contains("run-"), "{error}");
    assert!(has(&*set, &sample::keys(0..99)).iter().all(|&marked| marked));
    fs::create_dir(universe.hint().folder).unwrap();
    set.mark_many(&sample::keys(0..150)).unwrap();
    assert_eq!(has(&*set, &sample::keys(0..151)), [vec![true; 150], vec![false]].concat());
    assert_eq!(files(universe.hint().folder).len(), 1, "what was kept back is spilled after all");
}

#[test]
fn askers_beside_a_spilling_writer_miss_no_mark() {
    let universe = Universe::empty();
    let set = MarkSetFactory::create(&DiskSets::with_buffer(100), &universe.hint()).unwrap();
    let keys = sample::keys(0..20_000);
    set.mark_many(&keys[..5000]).unwrap();
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| keys.chunks(60).for_each(|batch| set.mark_many(batch).unwrap()));
        while !writing.is_finished() {
            assert!(has(&*set, &keys[..5000]).iter().all(|&marked| marked));
        }
        writing.join().unwrap();
    });
    assert_eq!(set.len(), 20_000);
}
