//! Scanning whole blocks over a snapshot of the engine's, by many threads at a time.

use std::path::Path;

use rocksdb::{DB, DEFAULT_COLUMN_FAMILY_NAME, LiveFile, ReadOptions, SnapshotWithThreadMode, properties};
use splitstore_domain::note;
use splitstore_ports::{BlockScan, BlockSnapshot, KeyRange, OnBlock, Result, ScannedBlock};

use crate::RocksHot;
use crate::error::failed;
use crate::maintenance::successor;
use crate::rewrite::Scan;
use crate::scan::READAHEAD;

impl BlockScan for RocksHot {
    fn snapshot(&self) -> Result<Box<dyn BlockSnapshot + '_>> {
        let scan = self.scans.begin()?;
        Ok(Box::new(Snapshot { store: self, moment: self.db.snapshot(), _scan: scan }))
    }
}

struct Snapshot<'a> {
    store: &'a RocksHot,
    moment: SnapshotWithThreadMode<'a, DB>,
    // Behind it: it goes first.
    _scan: Scan<'a>,
}

impl BlockSnapshot for Snapshot<'_> {
    fn estimated_len(&self) -> Result<u64> {
        let path = self.store.path.display();
        let estimate = self.store.db.property_int_value(properties::ESTIMATE_NUM_KEYS);
        let estimate = estimate.map_err(|error| failed(format!("ask {path} for its size"), error))?;
        Ok(estimate.unwrap_or(0))
    }

    fn ranges(&self, parts: usize) -> Result<Vec<KeyRange>> {
        let path = self.store.path.display();
        let files = self.store.db.live_files();
        let files = files.map_err(|error| failed(format!("list the files of hot tier {path}"), error))?;
        Ok(cut(&files, parts))
    }

    fn scan(&self, range: &KeyRange, on_block: OnBlock<'_>) -> Result<()> {
        let mut options = ReadOptions::default();
        options.set_readahead_size(READAHEAD);
        options.fill_cache(false);
        self.show(options, range, on_block)
    }

    /// The system reads the files into its cache while others compute.
    fn expect(&self, range: &KeyRange) {
        let files = self.store.db.live_files().unwrap_or_default();
        for file in files.iter().filter(|file| lies_in(file, range)) {
            read_ahead(&self.store.path.join(file.name.trim_start_matches('/')));
        }
    }

    fn look(&self, from: &[u8], on_block: OnBlock<'_>) -> Result<()> {
        let range = KeyRange { from: Some(from.to_vec()), to: None };
        self.show(ReadOptions::default(), &range, on_block)
    }
}

impl Snapshot<'_> {
    fn show(&self, mut options: ReadOptions, range: &KeyRange, on_block: OnBlock<'_>) -> Result<()> {
        // Notes stand behind all blocks, and files may end with one.
        let to = range.to.as_deref().filter(|to| *to < note::FIRST.as_slice());
        options.set_iterate_upper_bound(to.unwrap_or(&note::FIRST));
        let mut iter = self.moment.raw_iterator_opt(options);
        match &range.from {
            Some(from) => iter.seek(from),
            None => iter.seek_to_first(),
        }
        while let Some((key, value)) = iter.item() {
            let key = self.store.decode_key(key)?;
            let (codec, data) = self.store.decode(&key, value)?;
            if on_block(&ScannedBlock { key: &key, codec, data }).is_break() {
                return Ok(());
            }
            iter.next();
        }
        let path = self.store.path.display();
        iter.status().map_err(|error| failed(format!("scan blocks of hot tier {path}"), error))
    }
}

/// Tells the system that a file will be read, whole. One that is gone was rewritten: what it held is in another.
#[cfg(target_os = "linux")]
fn read_ahead(file: &Path) {
    /// The system reads no more for one advice than its disk takes at once.
    const PIECE: u64 = 256 << 10;
    let Ok(file) = std::fs::File::open(file) else { return };
    let len = file.metadata().map_or(0, |file| file.len());
    for at in (0..len.div_ceil(PIECE)).map(|piece| piece * PIECE) {
        let _ =
            rustix::fs::fadvise(&file, at, std::num::NonZeroU64::new(PIECE), rustix::fs::Advice::WillNeed);
    }
}

#[cfg(not(target_os = "linux"))]
fn read_ahead(_file: &Path) {}

/// Whether some of a file's keys may lie in a range.
fn lies_in(file: &LiveFile, range: &KeyRange) -> bool {
    let ends_before = range.from.as_ref().is_some_and(|from| file.end_key.as_ref() < Some(from));
    let begins_behind = range.to.as_ref().is_some_and(|to| file.start_key.as_ref() >= Some(to));
    file.column_family_name == DEFAULT_COLUMN_FAMILY_NAME && !ends_before && !begins_behind
}

/// Cuts where files of the deepest level end, in parts of about as many bytes. What is only in memory and on the
/// first level is one range: files there overlap, and hold little.
fn cut(files: &[LiveFile], parts: usize) -> Vec<KeyRange> {
    let files = files.iter().filter(|file| file.column_family_name == DEFAULT_COLUMN_FAMILY_NAME);
    let deepest = files.clone().map(|file| file.level).max().filter(|&level| level > 0);
    let deepest = files.filter(|file| Some(file.level) == deepest);
    let mut ends: Vec<(&[u8], usize)> =
        deepest.filter_map(|file| Some((file.end_key.as_deref()?, file.size))).collect();
    ends.sort_unstable();
    let each = ends.iter().map(|(_, size)| size).sum::<usize>().div_ceil(parts.max(1));
    // The last file's end is no cut: the last range has no end.
    ends.pop();
    let (mut ranges, mut from, mut size) = (Vec::new(), None, 0);
    for (end, len) in ends {
        size += len;
        if size >= each {
            let to = successor(end);
            ranges.push(KeyRange { from: from.replace(to.clone()), to: Some(to) });
            size = 0;
        }
    }
    ranges.push(KeyRange { from, to: None });
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(end: u8, size: usize) -> LiveFile {
        LiveFile {
            column_family_name: "default".to_owned(),
            name: String::new(),
            size,
            level: 6,
            start_key: None,
            end_key: Some(vec![end]),
            num_entries: 1,
            num_deletions: 0,
        }
    }

    #[test]
    fn files_of_a_range_are_those_that_reach_into_it() {
        let file = |begin: u8, end: u8| LiveFile { start_key: Some(vec![begin]), ..file(end, 1) };
        let range = |from: Option<u8>, to: Option<u8>| KeyRange {
            from: from.map(|byte| vec![byte]),
            to: to.map(|byte| vec![byte]),
        };
        let lies = |begin, end, from, to| lies_in(&file(begin, end), &range(from, to));
        assert!(
            lies(10, 20, None, None) && lies(10, 20, Some(20), Some(30)) && lies(10, 20, Some(5), Some(11))
        );
        assert!(!lies(10, 20, Some(21), None) && !lies(10, 20, None, Some(10)));
    }

    #[test]
    fn ranges_hold_every_key_once_and_about_as_many_bytes() {
        let files = [file(40, 10), file(10, 10), file(30, 10), file(20, 10)];
        let range = |from: Option<&[u8]>, to: Option<&[u8]>| KeyRange {
            from: from.map(<[u8]>::to_vec),
            to: to.map(<[u8]>::to_vec),
        };
        let halves = [range(None, Some(&[20, 0])), range(Some(&[20, 0]), None)];
        assert_eq!(cut(&files, 2), halves);
        assert_eq!(cut(&files, 1), [range(None, None)]);
        assert_eq!(cut(&files, 100).len(), 4);
        assert_eq!(cut(&[], 8), [range(None, None)]);
    }
}
