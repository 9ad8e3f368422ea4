//! Sixteen maps by hash of the key: writers of different keys seldom wait for each other, and a snapshot is split
//! without looking at a key twice.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use xxhash_rust::xxh3::xxh3_64;

use super::entry::Entry;
use crate::{BlockType, Column, Points, Refusal, TimeRange};

/// Parts of the ring.
pub(super) const PARTS: usize = 16;

type Part = Mutex<HashMap<Box<[u8]>, Entry>>;

/// Entries by key.
#[derive(Default)]
pub(super) struct Ring {
    parts: [Part; PARTS],
    bytes: AtomicU64,
}

impl Ring {
    pub(super) fn write(&self, key: &[u8], points: Points<'_>) -> Result<(), Refusal> {
        let mut part = self.part(key).lock();
        let mut added = super::entry::bytes_of(points);
        if let Some(entry) = part.get_mut(key) {
            entry.append(points)?;
        } else {
            part.insert(key.into(), Entry::new(points));
            added += key.len() as u64;
        }
        self.bytes.fetch_add(added, Ordering::Relaxed);
        Ok(())
    }

    pub(super) fn read(&self, key: &[u8]) -> Option<Column> {
        self.part(key).lock().get_mut(key).map(|entry| entry.sorted().clone())
    }

    pub(super) fn kind(&self, key: &[u8]) -> Option<BlockType> {
        self.part(key).lock().get(key).map(|entry| entry.column().kind())
    }

    pub(super) fn delete(&self, key: &[u8], times: TimeRange) {
        let mut part = self.part(key).lock();
        let Some(entry) = part.get_mut(key) else { return };
        // Sorting drops points as well: what is counted is what is left.
        let before = entry.bytes();
        entry.delete(times);
        let mut freed = before - entry.bytes();
        if entry.column().is_empty() {
            part.remove(key);
            freed += key.len() as u64;
        }
        self.bytes.fetch_sub(freed, Ordering::Relaxed);
    }

    /// Appends all that `newer` holds.
    pub(super) fn extend(&self, newer: &Self) {
        for part in &newer.parts {
            for (key, entry) in part.lock().iter() {
                // Types agree: a write is checked against both.
                let _ = self.write(key, entry.column().points());
            }
        }
    }

    /// Keys of some parts, sorted.
    pub(super) fn keys_of(&self, parts: impl Iterator<Item = usize>) -> Vec<Box<[u8]>> {
        let mut keys: Vec<_> =
            parts.flat_map(|part| self.parts[part].lock().keys().cloned().collect::<Vec<_>>()).collect();
        keys.sort_unstable();
        keys
    }

    pub(super) fn keys(&self) -> usize {
        self.parts.iter().map(|part| part.lock().len()).sum()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn part(&self, key: &[u8]) -> &Part {
        &self.parts[usize::try_from(xxh3_64(key) % PARTS as u64).expect("less than 16")]
    }
}
