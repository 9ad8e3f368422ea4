//! Snapshots of the cache into files: in as many splits as the keys are worth, each a generation and a thread of its
//! own, held back by the rate unless they have become slow.

use std::thread;

use anyhow::Result;
use segment_compaction::{Clock, CompactError, Report, SegmentId, Sequence, SystemClock, Throttle};
use tsm::{Cache, LatencyMeter, SnapshotPlan, SortedKeys, Throttled};

use crate::folder::Folder;

/// Takes snapshots, and remembers how long they took.
pub(crate) struct Snapshots<'f> {
    folder: &'f Folder,
    clock: SystemClock,
    latency: LatencyMeter,
}

impl<'f> Snapshots<'f> {
    pub(crate) fn new(folder: &'f Folder) -> Self {
        Self { folder, clock: SystemClock::new(), latency: LatencyMeter::default() }
    }

    /// Everything in the cache into new files, durable when this returns. `files` gets their names, also of those
    /// that were written before another failed.
    pub(crate) fn take(&mut self, cache: &Cache, files: &mut Vec<SegmentId>) -> Result<()> {
        if cache.keys() == 0 {
            return Ok(());
        }
        let plan = SnapshotPlan::of(cache.keys(), self.latency.mean());
        let start = self.clock.now();
        self.write(cache, plan, files)?;
        self.latency.note(self.clock.now().saturating_sub(start));
        Ok(())
    }

    fn write(&self, cache: &Cache, plan: SnapshotPlan, files: &mut Vec<SegmentId>) -> Result<()> {
        let throttle = match plan.throttled {
            Throttled::Yes => self.folder.throttle.clone(),
            Throttled::No => Throttle::off(),
        };
        let snapshot = cache.snapshot()?;
        let splits = snapshot.splits(plan.splits);
        let reports: Vec<Result<Report>> = thread::scope(|scope| {
            let write = |split| scope.spawn(|| self.split(split, &throttle));
            let running: Vec<_> = splits.into_iter().map(write).collect();
            running.into_iter().map(|one| one.join().expect("no split panics")).collect()
        });
        let mut outcome = Ok(());
        for report in reports {
            match report {
                Ok(report) => files.extend(report.outputs),
                // The first failure is the one to tell.
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        outcome?;
        snapshot.clear();
        Ok(())
    }

    fn split(&self, split: SortedKeys, throttle: &Throttle) -> Result<Report> {
        let Folder { compactor, lock, .. } = self.folder;
        let generation = compactor.folder().next_generation()?;
        let lease = lock.acquire_segments(&[SegmentId { generation, sequence: Sequence::FIRST }])?;
        let written: Result<Report, CompactError> = compactor.snapshot_at(split, &lease, throttle);
        Ok(written?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use segment_compaction::NoObserver;
    use tsm::{Column, IndexSeal, TsmReader, Values};

    use super::*;
    use crate::folder::{Access, Opening};

    #[test]
    fn a_snapshot_in_splits_is_a_generation_for_each_with_keys_of_its_own() {
        let place = tempfile::tempdir().unwrap();
        let opening = Opening {
            access: Access::Change,
            points_per_block: 1000,
            rate: 1,
            seal: IndexSeal::Crc,
            observer: Arc::new(NoObserver),
        };
        let folder = Folder::open(place.path(), opening).unwrap();
        let cache = Cache::new(1 << 20);
        for key in 0..200 {
            let column = Column::new(vec![1, 2], Values::Integer(vec![key, -key])).unwrap();
            cache.write(format!("m,k={key}#!~#f").as_bytes(), column.points()).unwrap();
        }
        // At a byte a second this would not end: an urgent snapshot is not held back.
        let plan = SnapshotPlan { splits: 4, throttled: Throttled::No };
        let mut files = Vec::new();
        Snapshots::new(&folder).write(&cache, plan, &mut files).unwrap();
        let mut generations: Vec<_> = files.iter().map(|id| id.generation.number()).collect();
        generations.sort_unstable();
        assert_eq!(generations, [1, 2, 3, 4]);
        let mut keys = std::collections::BTreeSet::new();
        for segment in folder.compactor.folder().segments().unwrap() {
            let mut cursor = TsmReader::open(segment.path()).unwrap().cursor();
            while cursor.advance().unwrap() {
                assert!(keys.insert(cursor.key().to_vec()), "a key in two splits");
            }
        }
        assert_eq!((keys.len(), cache.bytes()), (200, 0));
    }
}
