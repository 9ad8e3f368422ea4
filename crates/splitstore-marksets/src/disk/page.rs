//! The page of a run: what one look-up reads.
//!
//! ```text
//!   0      records    240 x 17   fingerprint u128 big-endian, readings u8; ascending; the last page is zero-padded
//!   4080   number     u64 LE     which page of its run
//!   4088   checksum   u64 LE     XXH3 of the 4088 bytes before, seeded by the run's id
//! ```
//! The checksum is there because a record lost to a flipped bit would read as "absent", and a live block be
//! deleted.

use thiserror::Error;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::record::Record;
use crate::readings::Readings;

pub(super) const PAGE_BYTES: usize = 4096;
pub(super) const PAGE_RECORDS: usize = 240;
const NUMBER_AT: usize = PAGE_RECORDS * Record::BYTES;
const CHECKSUM_AT: usize = NUMBER_AT + 8;
const _: () = assert!(CHECKSUM_AT + 8 == PAGE_BYTES);

/// A page's bytes.
pub(super) struct Page(pub(super) [u8; PAGE_BYTES]);

/// Why a page was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(super) enum PageError {
    #[error("the checksum is {found:016x}, the page says {said:016x}")]
    Checksum { said: u64, found: u64 },
    #[error("it is page {said}")]
    Number { said: u64 },
}

impl Page {
    /// Writes up to 240 records.
    pub(super) fn of(records: &[Record], number: u64, run: u64) -> Self {
        let mut page = Self([0; PAGE_BYTES]);
        let (places, _) = page.0.as_chunks_mut::<{ Record::BYTES }>();
        for (place, record) in places.iter_mut().zip(records.iter().take(PAGE_RECORDS)) {
            *place = record.to_bytes();
        }
        page.0[NUMBER_AT..CHECKSUM_AT].copy_from_slice(&number.to_le_bytes());
        let checksum = page.checksum(run);
        page.0[CHECKSUM_AT..].copy_from_slice(&checksum.to_le_bytes());
        page
    }

    /// Whether these are the bytes that were written as page `number` of the run.
    pub(super) fn check(&self, number: u64, run: u64) -> Result<(), PageError> {
        let (said, found) = (self.number_at(CHECKSUM_AT), self.checksum(run));
        if said != found {
            return Err(PageError::Checksum { said, found });
        }
        let said = self.number_at(NUMBER_AT);
        if said == number { Ok(()) } else { Err(PageError::Number { said }) }
    }

    /// The first `len` records.
    pub(super) fn records(&self, len: usize) -> impl Iterator<Item = Record> {
        self.slots(len).iter().map(Record::from_bytes)
    }

    /// The readings of a fingerprint among the first `len` records.
    pub(super) fn find(&self, len: usize, fingerprint: u128) -> Option<Readings> {
        let slots = self.slots(len);
        let at = |slot: &[u8; Record::BYTES]| Record::from_bytes(slot).fingerprint();
        let place = slots.binary_search_by_key(&fingerprint, at).ok()?;
        slots.get(place).map(|slot| Record::from_bytes(slot).readings)
    }

    fn slots(&self, len: usize) -> &[[u8; Record::BYTES]] {
        let (slots, _) = self.0.as_chunks::<{ Record::BYTES }>();
        slots.get(..len.min(PAGE_RECORDS)).unwrap_or(slots)
    }

    fn checksum(&self, run: u64) -> u64 {
        xxh3_64_with_seed(&self.0[..CHECKSUM_AT], run)
    }

    fn number_at(&self, at: usize) -> u64 {
        let (_, bytes) = self.0.split_at(at);
        bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }
}
