//! What the roaring set does with keys inside and outside its universe.

use splitstore_conformance::{Universe, sample};
use splitstore_marksets::RoaringSets;
use splitstore_ports::{ErrorKind, KeyCursor, KeyScan, MarkSetFactory, PortError, Result};

use crate::sets::{has, sealed};

#[test]
fn keys_written_after_the_scan_are_marked_counted_and_recovered() {
    let universe = Universe::of(sample::keys(0..1000));
    let set = RoaringSets.create(&universe.hint()).unwrap();
    set.mark_many(&sample::keys(900..1100)).unwrap();
    set.mark_many(&sample::keys(900..1100)).unwrap();
    let recovered = RoaringSets.recover(&mut sealed(&*set).as_slice(), &universe.hint()).unwrap();
    for set in [set, recovered] {
        assert_eq!(set.len(), 200);
        let expected: Vec<_> = (0..1200).map(|number| (900..1100).contains(&number)).collect();
        assert_eq!(has(&*set, &sample::keys(0..1200)), expected);
    }
}

#[test]
fn few_marks_in_a_large_universe_are_sealed_in_little_more_than_its_fingerprints() {
    let universe = Universe::of(sample::keys(0..50_000));
    let set = RoaringSets.create(&universe.hint()).unwrap();
    set.mark_many(&sample::keys(0..10)).unwrap();
    let bytes = sealed(&*set).len();
    assert!(bytes < 50_000 * 8 + 1000, "{bytes} bytes");
}

struct Damaged;

impl KeyScan for Damaged {
    fn keys(&self) -> Result<Box<dyn KeyCursor + '_>> {
        Err(PortError::bare(ErrorKind::Corrupt, "scan keys"))
    }
}

#[test]
fn a_universe_that_cannot_be_scanned_makes_no_set() {
    let folder = Universe::empty();
    let hint = splitstore_ports::SetHint { universe: &Damaged, ..folder.hint() };
    let Err(error) = RoaringSets.create(&hint) else { panic!("a set of an unknown universe") };
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}
