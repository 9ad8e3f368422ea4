//! Records of the engine's logs, and how a log of them ends.
//!
//! ```text
//!   blocks of 32 KiB; in each   crc u32 | length u16 | type u8 [| log u32] | payload  ..  less than 7 bytes of nothing
//! ```
//! Format: RocksDB's `db/log_format.h`; the checksum is CRC-32C of type, log number and payload, masked as in `util/crc32c.h`.

const BLOCK: usize = 32 << 10;
const HEADER: usize = 7;
const SECTOR: usize = 512;
/// A number of the log stands behind the header.
const RECYCLED: [u8; 6] = [5, 6, 7, 8, 11, 131];
const LOG_NUMBER: usize = 4;

/// How a log of records ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// With its last record.
    Whole,
    /// With something here that is no record, and nothing that is one behind it.
    Cut(usize),
    /// Something here is no record, and there are others behind it, or the engine would not see that it is none.
    Damaged(usize),
}

/// Where the first thing is that is no record.
pub(crate) fn first_odd(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let left = BLOCK - at % BLOCK;
        if left < HEADER {
            at += left;
        }
        if at >= bytes.len() {
            return None;
        }
        match behind(bytes, at) {
            Some(next) => at = next,
            None => return Some(at),
        }
    }
}

/// How the records of a list of tables end, which is short.
pub(crate) fn end(bytes: &[u8]) -> End {
    let Some(at) = first_odd(bytes) else { return End::Whole };
    // The engine takes a type that it does not expect for one of a log that is used again, and never gets past it.
    let is_odd = bytes.get(at + HEADER - 1).is_some_and(|kind| *kind > 4);
    let goes_on = (at + 1..bytes.len()).any(|later| behind(bytes, later).is_some());
    if (is_odd || goes_on) && !is_hole(bytes, at) { End::Damaged(at) } else { End::Cut(at) }
}

/// How the records of a log of writes end, which is long: behind the block that has the damage, only the first record of each is looked
/// at. A sector that was never written is damage here: nobody refuses anything for it, and what is behind is gone all the same.
pub(crate) fn end_of_writes(bytes: &[u8]) -> End {
    let Some(at) = first_odd(bytes) else { return End::Whole };
    let next = (at / BLOCK + 1) * BLOCK;
    let mut later = (at + 1..next.min(bytes.len())).chain((next..bytes.len()).step_by(BLOCK));
    let goes_on = later.any(|later| behind(bytes, later).is_some());
    if goes_on { End::Damaged(at) } else { End::Cut(at) }
}

/// Whether a sector is empty here, or the next one is: a disk may write the later of two that were not synced before the power goes.
fn is_hole(bytes: &[u8], at: usize) -> bool {
    let next = (at / SECTOR + 1) * SECTOR;
    let is_empty = |bytes: Option<&[u8]>| bytes.is_some_and(|bytes| bytes.iter().all(|byte| *byte == 0));
    is_empty(bytes.get(at..next)) || is_empty(bytes.get(next..next + SECTOR))
}

/// Where the record that begins here ends, if there is one.
fn behind(bytes: &[u8], at: usize) -> Option<usize> {
    let block = (at / BLOCK + 1) * BLOCK;
    let left = bytes.get(at..block.min(bytes.len()))?;
    let (header, _) = left.split_first_chunk::<HEADER>()?;
    let &[a, b, c, d, low, high, kind] = header;
    let log = if RECYCLED.contains(&kind) { LOG_NUMBER } else { 0 };
    let len = HEADER + log + usize::from(u16::from_le_bytes([low, high]));
    let covered = left.get(HEADER - 1..len)?;
    (kind != 0 && checksum(covered) == u32::from_le_bytes([a, b, c, d])).then_some(at + len)
}

fn checksum(covered: &[u8]) -> u32 {
    crc32c::crc32c(covered).rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(payload: &[u8]) -> Vec<u8> {
        let covered = [&[1], payload].concat();
        let len = u16::try_from(payload.len()).unwrap();
        [&checksum(&covered).to_le_bytes()[..], &len.to_le_bytes(), &covered].concat()
    }

    #[test]
    fn records_that_follow_each_other_are_whole_also_over_the_end_of_a_block() {
        let mut log = record(&vec![7; BLOCK - HEADER - 3]);
        log.extend([0; 3]);
        log.extend(record(b"next"));
        assert_eq!(end(&log), End::Whole);
        assert_eq!(end(&[]), End::Whole);
    }

    #[test]
    fn a_record_that_is_cut_is_the_end_and_one_before_others_is_damage() {
        let log = [record(b"one"), record(b"two"), record(b"three")].concat();
        let (one, two) = (record(b"one").len(), record(b"two").len());
        for cut in one + 1..one + two {
            assert_eq!(end(&log[..cut]), End::Cut(one));
        }
        for bit in 0..two * 8 {
            let mut turned = log.clone();
            turned[one + bit / 8] ^= 1 << (bit % 8);
            assert_eq!(end(&turned), End::Damaged(one), "bit {bit}");
        }
    }

    #[test]
    fn a_sector_that_was_never_written_before_one_that_was_is_the_end() {
        let mut log = [record(b"one"), record(&[9; 700]), record(&[8; 700]), record(b"four")].concat();
        let at = record(b"one").len() + record(&[9; 700]).len();
        log[at..1024].fill(0);
        assert_eq!(end(&log), End::Cut(at));
        log[SECTOR..2 * SECTOR].fill(0);
        assert_eq!(end(&log), End::Cut(record(b"one").len()));
    }

    #[test]
    fn a_log_of_writes_is_damaged_if_its_block_or_a_later_one_goes_on() {
        let long = record(&vec![7; BLOCK - HEADER]);
        let log =
            [record(b"one"), record(b"two"), record(&vec![6; BLOCK - 27]), long.clone(), record(b"end")]
                .concat();
        let two = record(b"one").len();
        assert_eq!(end_of_writes(&[&log[..2 * two], &long].concat()[..BLOCK]), End::Cut(2 * two));
        for (at, expected) in [
            (two, End::Damaged(two)),
            (2 * two + 9, End::Damaged(2 * two)),
            (log.len() - 1, End::Cut(2 * BLOCK)),
        ] {
            let mut turned = log.clone();
            turned[at] ^= 1;
            assert_eq!(end_of_writes(&turned), expected, "{at}");
        }
    }

    #[test]
    fn a_last_record_whose_type_is_none_of_a_list_is_damage() {
        let mut log = [record(b"one"), record(b"two")].concat();
        let at = record(b"one").len();
        log[at + HEADER - 1] = 5;
        assert_eq!(end(&log), End::Damaged(at));
    }
}
