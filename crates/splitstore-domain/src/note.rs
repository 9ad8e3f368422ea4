//! The keys under which an engine keeps notes in the table of its blocks.
//!
//! ```text
//!   blocks   1e 20 ..   a0 e4 02 20 ..      multihashes: a varint of at most ten bytes comes first
//!   notes    ff ff ff ff ff ff ff ff ff ff | number u64, big-endian
//!   links    the same | ff ff ff ff ff ff ff ff | number u64, big-endian
//! ```
//! Notes of links have a book of their own, behind all others: it is read and cleared at other times.
//!
//! Ten bytes that all say "more follows" begin no multihash, and stand behind every one: a scan of blocks ends at
//! [`FIRST`]. In one table a flush of the engine writes a block and its note at the same time, always.

/// No block has a key from here on.
pub const FIRST: [u8; PREFIX] = [0xff; PREFIX];

const PREFIX: usize = 10;

/// The key of note number `number`.
pub fn key(number: u64) -> [u8; PREFIX + 8] {
    let mut key = [0xff; PREFIX + 8];
    key[PREFIX..].copy_from_slice(&number.to_be_bytes());
    key
}

/// The number in the key of a note; `None` if it is none.
pub fn number(key: &[u8]) -> Option<u64> {
    key.strip_prefix(&FIRST)?.try_into().ok().map(u64::from_be_bytes)
}

/// Notes of links have keys from here on, all other notes before; number [`u64::MAX`] of those is never reached.
pub const LINKS_FIRST: [u8; LINKS_PREFIX] = [0xff; LINKS_PREFIX];

const LINKS_PREFIX: usize = PREFIX + 8;

/// The key of note number `number` in the book of links.
pub fn link_key(number: u64) -> [u8; LINKS_PREFIX + 8] {
    let mut key = [0xff; LINKS_PREFIX + 8];
    key[LINKS_PREFIX..].copy_from_slice(&number.to_be_bytes());
    key
}

/// The number in the key of a note in the book of links; `None` if it is none.
pub fn link_number(key: &[u8]) -> Option<u64> {
    key.strip_prefix(&LINKS_FIRST)?.try_into().ok().map(u64::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BlockKey;

    #[test]
    fn a_key_of_a_note_is_no_multihash_and_stands_behind_every_one() {
        for number in [0, 1, 255, 256, u64::MAX] {
            assert!(BlockKey::from_bytes(&key(number)).is_err(), "{number}");
            assert_eq!(super::number(&key(number)), Some(number));
        }
        // The multihash with the largest code that there is, over an empty digest.
        let last = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x00];
        assert!(BlockKey::from_bytes(&last).is_ok());
        assert!(last.as_slice() < FIRST.as_slice() && FIRST.as_slice() < key(0).as_slice());
        assert_eq!(number(&last), None);
    }

    #[test]
    fn notes_of_links_stand_behind_all_other_notes_and_are_ordered_by_number() {
        for number in [0, 1, 255, 256, u64::MAX] {
            assert!(BlockKey::from_bytes(&link_key(number)).is_err(), "{number}");
            assert_eq!(link_number(&link_key(number)), Some(number));
            assert_eq!(super::number(&link_key(number)), None);
            assert_eq!(link_number(&key(number)), None);
            assert!(key(u64::MAX - 1).as_slice() < LINKS_FIRST.as_slice());
            assert!(LINKS_FIRST.as_slice() < link_key(number).as_slice());
        }
        assert!(link_key(1) < link_key(2) && link_key(255) < link_key(256));
    }

    #[test]
    fn keys_of_notes_are_ordered_by_number() {
        assert!(key(1) < key(2) && key(255) < key(256) && key(256) < key(u64::MAX));
    }
}
