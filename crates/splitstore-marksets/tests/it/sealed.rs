//! What is refused of a sealed set, and how it is named.

use std::io::{self, Write};

use splitstore_conformance::{Universe, sample};
use splitstore_ports::ErrorKind;

use crate::sets::{all, expecting, has, sealed};

#[test]
fn every_altered_byte_is_corrupt() {
    for factory in all() {
        let universe = Universe::of(sample::keys(0..20));
        let set = factory.create(&expecting(1, &universe)).unwrap();
        set.mark_many(&sample::keys(10..30)).unwrap();
        let whole = sealed(&*set);
        for at in 0..whole.len() {
            let mut altered = whole.clone();
            altered[at] ^= 0x41;
            let folder = Universe::empty();
            let Err(error) = factory.recover(&mut altered.as_slice(), &folder.hint()) else {
                panic!("{}: byte {at} of {} was altered unseen", factory.name(), whole.len())
            };
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{} byte {at}: {error}", factory.name());
        }
    }
}

#[test]
fn a_newer_version_is_too_new() {
    for factory in all() {
        let universe = Universe::empty();
        let mut newer = sealed(&*factory.create(&universe.hint()).unwrap());
        newer[1] = 2;
        newer[2] = !2;
        let error = factory.recover(&mut newer.as_slice(), &universe.hint()).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::TooNew, "{error}");
    }
}

#[test]
fn the_seal_of_one_kind_is_no_seal_of_another_but_for_the_exact_two() {
    let universe = Universe::of(sample::keys(0..20));
    for one in all() {
        let bytes = sealed(&*one.create(&universe.hint()).unwrap());
        for other in all() {
            let recovered = other.recover(&mut bytes.as_slice(), &universe.hint());
            let exact = |name| ["exact", "disk"].contains(&name);
            let fits = one.name() == other.name() || (exact(one.name()) && exact(other.name()));
            assert_eq!(recovered.is_ok(), fits, "{} as {}", one.name(), other.name());
            let error = recovered.err();
            assert!(error.is_none_or(|error| error.kind() == ErrorKind::Corrupt));
        }
    }
}

#[test]
fn nothing_is_read_beyond_the_seal() {
    for factory in all() {
        let universe = Universe::of(sample::keys(0..9000));
        let set = factory.create(&universe.hint()).unwrap();
        set.mark_many(&sample::keys(0..5000)).unwrap();
        let mut bytes = sealed(&*set);
        bytes.extend(b"next frame");
        let mut rest = bytes.as_slice();
        factory.recover(&mut rest, &universe.hint()).unwrap();
        assert_eq!(rest, b"next frame", "{}", factory.name());
    }
}

#[test]
fn a_set_marked_while_it_is_sealed_recovers_with_the_marks_from_before() {
    for factory in all() {
        let universe = Universe::of(sample::keys(0..20_000));
        let set = factory.create(&expecting(100, &universe)).unwrap();
        set.mark_many(&sample::keys(0..5000)).unwrap();
        let bytes = std::thread::scope(|scope| {
            let marking = scope.spawn(|| {
                sample::keys(5000..20_000).chunks(50).for_each(|batch| set.mark_many(batch).unwrap());
            });
            let bytes = sealed(&*set);
            marking.join().unwrap();
            bytes
        });
        let folder = Universe::empty();
        let recovered = factory.recover(&mut bytes.as_slice(), &folder.hint()).unwrap();
        assert!(has(&*recovered, &sample::keys(0..5000)).iter().all(|&marked| marked), "{}", factory.name());
    }
}

/// A disk that is full after so many bytes.
struct Disk(usize);

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_ends_the_seal_with_full() {
    for factory in all() {
        let universe = Universe::of(sample::keys(0..3000));
        let set = factory.create(&universe.hint()).unwrap();
        set.mark_many(&sample::keys(0..3000)).unwrap();
        let len = sealed(&*set).len();
        set.seal(&mut Disk(len)).unwrap();
        for room in [0, 1, len / 2, len - 1] {
            let error = set.seal(&mut Disk(room)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Full, "{} with {room} bytes: {error}", factory.name());
        }
    }
}
