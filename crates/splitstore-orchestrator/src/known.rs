//! Which references were recorded before, by 128 bits of a hash under a secret of this process.
//!
//! Two of n share them with a chance of n^2 / 2^129, and nobody can help chance without the secret. Whole keys would take
//! three times the room; and a table is copied whenever it has grown to twice its size, under a lock that readers wait
//! for.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use splitstore_ports::{Reading, Visit};
use xxhash_rust::xxh3::xxh3_128_with_secret;

use crate::secret;
use crate::sync::RandomState;

/// Hashes keys of references.
pub(crate) struct Fingerprints(Box<[u8; secret::BYTES]>);

/// What was recorded, by reading.
#[derive(Default)]
pub(crate) struct Known {
    opaque: Table,
    dag: Table,
}

type Table = HashSet<u128, BuildHasherDefault<Itself>>;

/// A fingerprint is its own hash.
#[derive(Default)]
struct Itself(u64);

impl Fingerprints {
    pub(crate) fn random() -> Self {
        Self(secret::drawn(&RandomState::new()))
    }

    pub(crate) fn of(&self, visit: &Visit) -> u128 {
        xxh3_128_with_secret(visit.key.as_bytes(), self.0.as_slice())
    }
}

impl Known {
    /// Whether this reference was not recorded before; it is now.
    pub(crate) fn is_new(&mut self, fingerprint: u128, reading: Reading) -> bool {
        match reading {
            Reading::Opaque => self.opaque.insert(fingerprint),
            Reading::Dag | Reading::Header => self.dag.insert(fingerprint),
        }
    }
}

impl Hasher for Itself {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        unreachable!("only fingerprints are hashed, not {} bytes", bytes.len())
    }

    fn write_u128(&mut self, fingerprint: u128) {
        // The lower half chose the shard.
        self.0 = (fingerprint >> 64) as u64;
    }
}

#[cfg(all(test, not(interleaved)))]
mod tests {
    use splitstore_domain::BlockKey;

    use super::*;

    fn visit(number: u8, reading: Reading) -> Visit {
        let key = BlockKey::from_bytes(&[&[0x12, 0x20][..], &[number; 32]].concat()).expect("a multihash");
        Visit { key, reading }
    }

    #[test]
    fn each_reading_of_each_key_is_new_once() {
        let (fingerprints, mut known) = (Fingerprints::random(), Known::default());
        let mut is_new = |visit: &Visit| known.is_new(fingerprints.of(visit), visit.reading);
        for number in 0..200 {
            for reading in [Reading::Opaque, Reading::Dag] {
                assert!(is_new(&visit(number, reading)) && !is_new(&visit(number, reading)));
            }
        }
    }

    #[test]
    fn every_process_has_fingerprints_of_its_own() {
        let visit = visit(1, Reading::Dag);
        assert_ne!(Fingerprints::random().of(&visit), Fingerprints::random().of(&visit));
    }
}
