//! The exact set for more keys than memory holds.
//!
//! ```text
//!   buffer   a table of the latest keys       full: written as a run of level 0, then empty
//!   runs     [2]   [1] [1]   [0] [0] [0]      four of one level: merged into one of the next
//!            oldest ............. newest      sorted files, see `run`
//! ```
//! A key is looked for in the buffer, then in the runs, newest first, whose filters spare most reads: the first
//! visit of a key costs next to no read, a later one at most one page and a few that a filter let through.
//! What is stored for a key is what the exact set in memory stores: 128 keyed bits and its readings. A record
//! that stands in several places has in the newest all readings of the older.
//!
//! **Memory**: the buffer, whatever the number of keys (18 bytes per slot, 8/7 slots per key rounded up to a
//! power of two; 38 MB by default), as much again while it is spilled; and 1.6 bytes per key for filters and page
//! indices, twice that while the largest runs merge. **Disk**: 17.1 bytes per key, twice that in a merge.
//!
//! **Locks.** One writer at a time (`writer`): it waits for its own spills and merges, and so do other writers;
//! the longest merge rewrites the whole set. Askers never wait for a writer's disk: they copy the list of runs
//! under a short lock (`shared`) and read without it. Order: `writer`, then `shared`.
//!
//! **Errors.** What cannot be read is an error, never "absent": every page is checked. A spill or merge that
//! fails leaves all keys where they were and is tried again by the next mark.
//!
//! A crash loses the set; what survives is what was sealed.

mod buffer;
mod merge;
mod page;
mod record;
mod run;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use splitstore_domain::BlockKey;
use splitstore_ports::{
    ErrorKind, MarkSet, MarkSetFactory, PortError, Result, SetHint, Visit, VisitSet, VisitSetFactory,
};

use self::buffer::Buffer;
use self::merge::{Merge, Records};
use self::record::Record;
use self::run::{Run, RunId, RunRecords};
use crate::fingerprint::Fingerprinter;
use crate::readings::{Readings, SealedKey};
use crate::sealed::{Kind, SealReader, SealWriter};

/// What a table of 2^21 slots takes before it grows.
const BUFFER_KEYS: usize = (1 << 21) / 8 * 7;

/// Runs of one level that become one of the next. More would mean fewer rewrites and more reads per look-up.
const FAN_IN: usize = 4;

/// Keys that are looked up and written under one lock; the buffer exceeds its limit by fewer than this.
const STEP_KEYS: usize = 1024;

/// Makes exact sets on disk, in the hint's folder: 1.6 bytes of memory per key beside a buffer of fixed size.
#[derive(Debug, Clone, Copy)]
pub struct DiskSets {
    buffer_keys: usize,
}

impl Default for DiskSets {
    /// A buffer of 1,835,008 keys: 38 MB.
    fn default() -> Self {
        Self { buffer_keys: BUFFER_KEYS }
    }
}

impl DiskSets {
    /// Sets with a buffer of so many keys, at least one, before they spill.
    pub fn with_buffer(keys: usize) -> Self {
        Self { buffer_keys: keys.max(1) }
    }
}

impl MarkSetFactory for DiskSets {
    fn name(&self) -> &'static str {
        Kind::Disk.name()
    }

    fn create(&self, hint: &SetHint<'_>) -> Result<Arc<dyn MarkSet>> {
        Ok(Arc::new(DiskSet::new(Fingerprinter::random()?, hint.folder, self.buffer_keys)?))
    }

    fn recover(&self, sealed: &mut dyn Read, hint: &SetHint<'_>) -> Result<Arc<dyn MarkSet>> {
        Ok(Arc::new(self.recovered(sealed, hint)?))
    }
}

impl VisitSetFactory for DiskSets {
    fn name(&self) -> &'static str {
        Kind::Disk.name()
    }

    fn create(&self, hint: &SetHint<'_>) -> Result<Arc<dyn VisitSet>> {
        Ok(Arc::new(DiskSet::new(Fingerprinter::random()?, hint.folder, self.buffer_keys)?))
    }

    fn recover_visits(&self, sealed: &mut dyn Read, hint: &SetHint<'_>) -> Result<Arc<dyn VisitSet>> {
        Ok(Arc::new(self.recovered(sealed, hint)?))
    }
}

impl DiskSets {
    fn recovered(self, sealed: &mut dyn Read, hint: &SetHint<'_>) -> Result<DiskSet> {
        let (mut reader, keys) = SealReader::start(sealed, Kind::Disk)?;
        let set = DiskSet::new(keys, hint.folder, self.buffer_keys)?;
        let mut step = Vec::with_capacity(STEP_KEYS);
        reader.list(|SealedKey { fingerprint, readings }| {
            step.push((fingerprint, readings));
            if step.len() < STEP_KEYS {
                return Ok(());
            }
            set.add(&step, |_| ())?;
            step.clear();
            Ok(())
        })?;
        set.add(&step, |_| ())?;
        reader.finish()?;
        Ok(set)
    }
}

/// The set of one run.
#[derive(Debug)]
struct DiskSet {
    keys: Fingerprinter,
    folder: PathBuf,
    buffer_keys: usize,
    writer: Mutex<Writer>,
    shared: RwLock<Shared>,
}

/// Held by whoever changes the set.
#[derive(Debug)]
struct Writer {
    next: RunId,
}

/// What askers see; all of one moment.
#[derive(Debug, Default)]
struct Shared {
    buffer: Buffer,
    /// Oldest first.
    runs: Arc<[Leveled]>,
    len: u64,
}

#[derive(Debug, Clone)]
struct Leveled {
    level: u32,
    run: Arc<Run>,
}

impl DiskSet {
    fn new(keys: Fingerprinter, folder: &Path, buffer_keys: usize) -> Result<Self> {
        std::fs::create_dir_all(folder)
            .map_err(|source| PortError::io(format!("create folder {}", folder.display()), source))?;
        let set = getrandom::u64().map_err(|source| {
            PortError::new(ErrorKind::Unavailable, "draw the name of a disk mark set", source)
        })?;
        Ok(Self {
            keys,
            folder: folder.into(),
            buffer_keys,
            writer: Mutex::new(Writer { next: RunId { set, number: 0 } }),
            shared: RwLock::default(),
        })
    }

    /// The readings of each fingerprint, `None` where it is not in the set.
    fn look_up(&self, fingerprints: impl Iterator<Item = u128>) -> Result<Vec<Option<Readings>>> {
        let (mut found, runs) = {
            let shared = self.shared.read();
            let found: Vec<_> =
                fingerprints.map(|fingerprint| (fingerprint, shared.buffer.get(fingerprint))).collect();
            (found, Arc::clone(&shared.runs))
        };
        for (fingerprint, readings) in &mut found {
            let mut older = runs.iter().rev();
            while readings.is_none()
                && let Some(leveled) = older.next()
            {
                *readings = leveled.run.find(*fingerprint)?;
            }
        }
        Ok(found.into_iter().map(|(_, readings)| readings).collect())
    }

    /// Marks and adds readings; tells `before` of each, in order, what it had.
    fn add(&self, batch: &[(u128, Readings)], mut before: impl FnMut(Readings)) -> Result<()> {
        let mut writer = self.writer.lock();
        for step in batch.chunks(STEP_KEYS.min(self.buffer_keys)) {
            // Nobody else writes, so what is found here still holds below, but for keys of this very step.
            let found = self.look_up(step.iter().map(|&(fingerprint, _)| fingerprint))?;
            let full = {
                let mut shared = self.shared.write();
                for (&(fingerprint, readings), found) in step.iter().zip(found) {
                    before(shared.add(fingerprint, readings, found)?);
                }
                shared.buffer.len() >= self.buffer_keys
            };
            if full {
                self.spill(&mut writer)?;
            }
        }
        Ok(())
    }

    /// Writes the buffer as a run, and merges what is due.
    fn spill(&self, writer: &mut Writer) -> Result<()> {
        let mut records = self.shared.read().buffer.records();
        records.sort_unstable_by_key(Record::fingerprint);
        let len = records.len() as u64;
        let run = self.write_run(writer, len, records.into_iter().map(Ok))?;
        {
            let mut shared = self.shared.write();
            shared.runs = shared.runs.iter().cloned().chain([Leveled { level: 0, run }]).collect();
            shared.buffer.clear();
        }
        while self.merge_newest(writer)? {}
        Ok(())
    }

    /// Merges the newest runs if enough of them have one level; whether they had.
    fn merge_newest(&self, writer: &mut Writer) -> Result<bool> {
        let runs = Arc::clone(&self.shared.read().runs);
        let Some(level) = runs.last().map(|newest| newest.level) else { return Ok(false) };
        let of_level = runs.iter().rev().take_while(|leveled| leveled.level == level).count();
        if of_level < FAN_IN {
            return Ok(false);
        }
        let (older, newest) = runs.split_at(runs.len() - of_level);
        let at_most = newest.iter().map(|leveled| leveled.run.len()).sum();
        let run =
            self.write_run(writer, at_most, Merge::new(newest.iter().map(Leveled::records).collect())?)?;
        self.shared.write().runs = older.iter().cloned().chain([Leveled { level: level + 1, run }]).collect();
        Ok(true)
    }

    fn write_run(
        &self,
        writer: &mut Writer,
        at_most: u64,
        records: impl Iterator<Item = Result<Record>>,
    ) -> Result<Arc<Run>> {
        let id = writer.next;
        writer.next.number += 1;
        Ok(Arc::new(Run::write(&self.folder, id, at_most, records)?))
    }

    /// All records of this moment, in order.
    fn records(&self) -> Result<Merge> {
        let (mut records, runs) = {
            let shared = self.shared.read();
            (shared.buffer.records(), Arc::clone(&shared.runs))
        };
        records.sort_unstable_by_key(Record::fingerprint);
        let mut sources: Vec<Records> = runs.iter().map(Leveled::records).collect();
        sources.push(Box::new(records.into_iter().map(Ok)));
        Merge::new(sources)
    }
}

impl Shared {
    /// Adds readings to a key that was `found`, or not, in buffer and runs; returns those it had.
    fn add(&mut self, fingerprint: u128, readings: Readings, found: Option<Readings>) -> Result<Readings> {
        let before = self.buffer.get(fingerprint).or(found);
        let had = before.unwrap_or(Readings::NONE);
        if before.is_none() || !had.contains(readings) {
            self.buffer.put(Record::new(fingerprint, had.with(readings)))?;
        }
        self.len += u64::from(before.is_none());
        Ok(had)
    }
}

impl Leveled {
    fn records(&self) -> Records {
        Box::new(RunRecords::new(Arc::clone(&self.run)))
    }
}

impl MarkSet for DiskSet {
    fn mark_many(&self, keys: &[BlockKey]) -> Result<()> {
        let batch: Vec<_> = keys.iter().map(|key| (self.keys.of(key), Readings::NONE)).collect();
        self.add(&batch, |_| ())
    }

    fn has_many(&self, keys: &[BlockKey], answers: &mut Vec<bool>) -> Result<()> {
        let found = self.look_up(keys.iter().map(|key| self.keys.of(key)))?;
        answers.extend(found.iter().map(Option::is_some));
        Ok(())
    }

    fn len(&self) -> u64 {
        self.shared.read().len
    }

    fn seal(&self, out: &mut dyn Write) -> Result<()> {
        let mut writer = SealWriter::start(out, Kind::Disk, &self.keys)?;
        writer.list(self.records()?.map(|record| {
            let record = record?;
            Ok(SealedKey { fingerprint: record.fingerprint(), readings: record.readings })
        }))?;
        writer.finish()
    }
}

impl VisitSet for DiskSet {
    fn visit_many(&self, visits: &[Visit], first: &mut Vec<bool>) -> Result<()> {
        let batch: Vec<_> =
            visits.iter().map(|visit| (self.keys.of(&visit.key), Readings::one(visit.reading))).collect();
        let mut asked = batch.iter().map(|&(_, reading)| reading);
        self.add(&batch, |had| first.extend(asked.next().map(|reading| !had.contains(reading))))
    }

    fn visited_many(&self, visits: &[Visit], before: &mut Vec<bool>) -> Result<()> {
        let found = self.look_up(visits.iter().map(|visit| self.keys.of(&visit.key)))?;
        let made = visits.iter().zip(found).map(|(visit, found)| {
            found.is_some_and(|readings| readings.contains(Readings::one(visit.reading)))
        });
        before.extend(made);
        Ok(())
    }
}
