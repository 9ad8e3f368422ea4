//! How much room a pass over a range takes: what the engine reads at once, as its old files go when the new ones stand.
//!
//! ```text
//!   memtable   |.................|      flushed first
//!   level 0    |=================|      files overlap: a step down takes them whole, and with them
//!   base       |=====|=====|=====|      all of the first level below
//!   ..             |===|==|             each next step: files that touch the range, whole ..
//!   last       |=|=|=|=|=|=|=|          .. and all that these overlap one level further down
//!                    ^^ range
//! ```
//! More than lies in the range, then. What a step writes into a level before the next step is not known beforehand; it takes
//! the place of what is counted there.

use rocksdb::{LiveFile, properties};
use splitstore_domain::ByteCount;
use splitstore_ports::Result;

use crate::RocksHot;
use crate::error::failed;
use crate::maintenance::Piece;

/// The files of a store, and what is above them.
pub(crate) struct Layout {
    pub(crate) files: Vec<LiveFile>,
    /// The level that the first one is compacted into.
    base: i32,
    /// Bytes that are in no file yet.
    unflushed: u64,
}

/// Keys from one to another, both included; `None` is without bound.
type Span<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

impl RocksHot {
    pub(crate) fn layout(&self) -> Result<Layout> {
        let attempt = || format!("list the files of hot tier {}", self.path.display());
        let number = |name| self.db.property_int_value(name).map_err(|error| failed(attempt(), error));
        let files = self.db.live_files().map_err(|error| failed(attempt(), error))?;
        let base = number(properties::BASE_LEVEL)?.and_then(|level| i32::try_from(level).ok()).unwrap_or(1);
        let active = number(properties::NUM_ENTRIES_ACTIVE_MEM_TABLE)?.unwrap_or(0);
        let frozen = number(properties::NUM_ENTRIES_IMM_MEM_TABLES)?.unwrap_or(0);
        let bytes = number(properties::CUR_SIZE_ALL_MEM_TABLES)?.unwrap_or(0);
        Ok(Layout { files, base, unflushed: if active + frozen > 0 { bytes } else { 0 } })
    }
}

impl Layout {
    /// What lies in a piece, and what a pass over it needs.
    pub(crate) fn room(&self, piece: &Piece) -> (ByteCount, ByteCount) {
        let range = (piece.start.as_deref(), piece.end.as_deref());
        let inside = |file: &&LiveFile| touches(range, file);
        let from_top = self.unflushed > 0 || self.files.iter().any(|file| file.level == 0 && inside(&file));
        let spans: Vec<(i32, Span<'_>)> = self.steps(range);
        let taken = |file: &&LiveFile| {
            inside(file)
                || (from_top && (file.level == 0 || file.level == self.base))
                || spans.iter().any(|(level, span)| *level == file.level && touches(*span, file))
        };
        let bytes = |which: &dyn Fn(&&LiveFile) -> bool| {
            self.files.iter().filter(which).map(|file| file.size as u64).sum::<u64>()
        };
        (ByteCount(bytes(&inside)), ByteCount(bytes(&taken) + self.unflushed))
    }

    /// Of each level below the first one that has files of this range: the next level that has files at all, and which keys
    /// of it a step down takes.
    fn steps<'a>(&'a self, range: Span<'a>) -> Vec<(i32, Span<'a>)> {
        let mut levels: Vec<i32> =
            self.files.iter().map(|file| file.level).filter(|level| *level > 0).collect();
        levels.sort_unstable();
        levels.dedup();
        let step = |pair: &[i32]| {
            let above = || self.files.iter().filter(|file| file.level == pair[0] && touches(range, file));
            let first = above().map(|file| file.start_key.as_deref()).min()?;
            let last = above().map(|file| file.end_key.as_deref()).max()?;
            Some((pair[1], (first, last)))
        };
        levels.windows(2).filter_map(step).collect()
    }
}

fn touches((start, end): Span<'_>, file: &LiveFile) -> bool {
    let before = end.zip(file.start_key.as_deref()).is_some_and(|(end, first)| end < first);
    let behind = start.zip(file.end_key.as_deref()).is_some_and(|(start, last)| last < start);
    !before && !behind
}

#[cfg(test)]
mod tests {
    use splitstore_ports::{BlockWrite, Maintenance, RangeRewrite};

    use super::*;
    use crate::RocksOptions;

    fn file(level: i32, start: u8, end: u8, size: usize) -> LiveFile {
        LiveFile {
            column_family_name: "default".to_owned(),
            name: String::new(),
            size,
            level,
            start_key: Some(vec![start]),
            end_key: Some(vec![end]),
            num_entries: 1,
            num_deletions: 0,
        }
    }

    fn room(files: Vec<LiveFile>, base: i32, unflushed: u64, (start, end): (u8, u8)) -> (u64, u64) {
        let piece = Piece { start: Some(vec![start]), end: Some(vec![end]) };
        let (reads, needs) = Layout { files, base, unflushed }.room(&piece);
        (reads.0, needs.0)
    }

    #[test]
    fn a_range_of_the_last_level_alone_needs_what_lies_in_it() {
        let files = vec![file(6, 0, 9, 1), file(6, 10, 19, 10), file(6, 20, 29, 100)];
        assert_eq!(room(files, 5, 0, (10, 19)), (10, 10));
    }

    #[test]
    fn with_something_in_level_0_or_in_memory_all_of_it_and_of_the_base_is_taken() {
        let files =
            || vec![file(4, 0, 9, 1), file(4, 10, 19, 10), file(6, 12, 13, 100), file(6, 20, 29, 1_000)];
        assert_eq!(room(files(), 4, 0, (10, 19)), (110, 110));
        assert_eq!(room(files(), 4, 50_000, (10, 19)), (110, 50_111));
        let mut more = files();
        more.extend([file(0, 0, 29, 10_000), file(0, 28, 29, 20_000)]);
        assert_eq!(room(more, 4, 0, (10, 19)), (10_110, 30_111));
    }

    /// A small store has no level between: a step from level 0 takes all of it.
    #[test]
    fn where_the_last_level_is_the_base_all_is_taken() {
        let files = vec![file(0, 0, 29, 1), file(6, 0, 9, 10), file(6, 10, 19, 100), file(6, 20, 29, 1_000)];
        assert_eq!(room(files, 6, 0, (10, 19)), (101, 1_111));
    }

    /// A wide file goes down whole.
    #[test]
    fn a_file_that_touches_the_range_takes_all_that_it_overlaps_one_level_down() {
        let files = vec![
            file(5, 5, 25, 1),
            file(6, 0, 4, 10),
            file(6, 5, 9, 100),
            file(6, 10, 19, 1_000),
            file(6, 20, 29, 10_000),
        ];
        assert_eq!(room(files, 4, 0, (10, 19)), (1_001, 11_101));
    }

    /// As the engine itself tells of its files.
    #[test]
    fn the_room_of_a_small_store_is_all_of_it_while_something_waits_above() {
        let folder = tempfile::tempdir().unwrap();
        let store = RocksHot::open(folder.path(), RocksOptions::default()).unwrap();
        let put = |from: u64| {
            for n in from..from + 2_000 {
                let (cid, data) = splitstore_conformance::sample::sized_block(n, 20_000);
                store.put_many(&[splitstore_ports::Block { cid, data: &data }]).unwrap();
            }
        };
        (0..5).for_each(|part| put(part * 2_000));
        store.reclaim(splitstore_ports::ReclaimMode::Full, &splitstore_ports::Interrupt::new()).unwrap();
        let all: u64 = store.layout().unwrap().files.iter().map(|file| file.size as u64).sum();
        let ranges = store.small_ranges().unwrap();
        assert!(ranges.len() > 1);
        assert!(ranges.iter().all(|range| range.needs == range.reads && range.needs.0 < all));
        put(20_000);
        for range in store.small_ranges().unwrap() {
            assert!(range.needs.0 > all, "{range:?} of {all}");
            assert!(range.reads.0 < all);
        }
    }
}
