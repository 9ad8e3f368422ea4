//! redb's disk: pages that were not synced are held back, but for those that go early.
//!
//! ```text
//!   write     image  |....NEW.....|        dirty: where they differ, in sectors
//!             file   |....old.....|        early: sectors written through at once, at random
//!   sync      every dirty sector is written from the image; file = image
//!   SIGKILL   file as it is: whole syncs, and whatever went early, torn between sectors
//! ```
//! Memory: the whole file; it is for small stores. Nothing is synced for real: a kill spares the page cache.

use std::collections::BTreeSet;
use std::io;
use std::ops::Bound;

use parking_lot::Mutex;
use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

use crate::Dice;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// A file whose unsynced writes are lost with the process, as far as they did not go early.
#[derive(Debug)]
pub struct HeldBackend {
    file: FileBackend,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The file as its user sees it.
    image: Vec<u8>,
    /// Numbers of sectors that the file may lack.
    dirty: BTreeSet<usize>,
    dice: Dice,
    early_per_mille: u64,
}

impl HeldBackend {
    /// Holds what is written to `file`; of its sectors so many in a thousand go early.
    pub fn new(file: FileBackend, dice: Dice, early_per_mille: u64) -> io::Result<Self> {
        let mut image = vec![0; to_usize(file.len()?)?];
        file.read(0, &mut image)?;
        let state = State { image, dirty: BTreeSet::new(), dice, early_per_mille };
        Ok(Self { file, state: Mutex::new(state) })
    }

    fn write_sector(&self, image: &[u8], number: usize) -> io::Result<()> {
        let (offset, sector) = (number * SECTOR, image.chunks(SECTOR).nth(number).unwrap_or_default());
        self.file.write(offset as u64, sector)
    }
}

impl State {
    /// What grows reads as zeros, whatever the file holds there.
    fn resize(&mut self, len: usize) {
        let grown = self.image.len() / SECTOR..len.div_ceil(SECTOR);
        self.image.resize(len, 0);
        drop(self.dirty.split_off(&len.div_ceil(SECTOR)));
        self.dirty.extend(grown);
    }
}

impl StorageBackend for HeldBackend {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state.lock().image.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let (state, offset) = (self.state.lock(), to_usize(offset)?);
        let from = state.image.get(offset..offset + out.len());
        out.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let (mut state, len) = (self.state.lock(), to_usize(len)?);
        state.resize(len);
        if state.dice.below(1000) < state.early_per_mille {
            self.file.set_len(len as u64)?;
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state.lock();
        self.file.set_len(state.image.len() as u64)?;
        while let Some(number) = state.dirty.pop_first() {
            self.write_sector(&state.image, number)?;
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let (mut state, offset) = (self.state.lock(), to_usize(offset)?);
        let end = offset + data.len();
        if end > state.image.len() {
            state.resize(end);
        }
        state.image[offset..end].copy_from_slice(data);
        for number in offset / SECTOR..end.div_ceil(SECTOR) {
            if state.dice.below(1000) < state.early_per_mille {
                self.write_sector(&state.image, number)?;
            } else {
                state.dirty.insert(number);
            }
        }
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}

fn to_usize(number: u64) -> io::Result<usize> {
    usize::try_from(number).map_err(io::Error::other)
}
