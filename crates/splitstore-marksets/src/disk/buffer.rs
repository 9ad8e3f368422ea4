//! The part of a disk set that is in memory: the latest keys, until they are spilled.

use hashbrown::hash_table::{Entry, HashTable};
use splitstore_ports::{ErrorKind, PortError, Result};

use super::record::Record;
use crate::fingerprint::upper;
use crate::readings::Readings;

/// A table of records: 18 bytes per slot.
#[derive(Debug, Default)]
pub(super) struct Buffer(HashTable<Record>);

impl Buffer {
    pub(super) fn get(&self, fingerprint: u128) -> Option<Readings> {
        let record = self.0.find(upper(fingerprint), |record| record.fingerprint() == fingerprint)?;
        Some(record.readings)
    }

    /// Puts a record in the place of the one with its fingerprint.
    pub(super) fn put(&mut self, record: Record) -> Result<()> {
        self.0.try_reserve(1, slot_hash).map_err(|_| {
            let attempt = format!("grow the buffer of {} keys of the disk mark set", self.0.len());
            PortError::bare(ErrorKind::Unavailable, attempt)
        })?;
        let fingerprint = record.fingerprint();
        match self.0.entry(upper(fingerprint), |other| other.fingerprint() == fingerprint, slot_hash) {
            Entry::Occupied(mut entry) => *entry.get_mut() = record,
            Entry::Vacant(entry) => {
                entry.insert(record);
            }
        }
        Ok(())
    }

    pub(super) fn records(&self) -> Vec<Record> {
        self.0.iter().copied().collect()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets all records and keeps their memory for the next.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

fn slot_hash(record: &Record) -> u64 {
    upper(record.fingerprint())
}
