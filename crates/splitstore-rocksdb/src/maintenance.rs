//! Size on disk, and giving back the space of deleted blocks.
//!
//! A delete writes a tombstone; value and tombstone vanish together when a compaction meets both on their way
//! to the last level. Reclaiming asks for those compactions piece by piece in key order:
//!
//! ```text
//!   level 0    |=================|   tombstones, newest
//!   level 5    |====|====|====|====|
//!   last       |==|==|==|==|==|==|==|==|   files of about 64 MiB
//!   pieces     |     1     |     2     |   cut where files of the last level end
//! ```
//! Between pieces it may stop; what was done stays. Keys are hashes, so tombstones lie evenly: there are no
//! pieces worth leaving out. `Full` also rewrites the files of the last level that nothing above touches.

use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use rocksdb::{
    BottommostLevelCompaction, CompactOptions, ErrorKind as Rocks, LiveFile, WaitForCompactOptions,
    properties,
};
use splitstore_domain::ByteCount;
use splitstore_ports::{ErrorKind, Interrupt, Maintenance, PortError, ReclaimMode, Reclaimed, Result};

use crate::error::failed;
use crate::{RocksHot, folder};

/// Bytes of the last level in one piece: under a second of work on a common disk.
pub(crate) const PIECE: u64 = 128 << 20;

/// How long a finished reclaim waits for replaced files to be removed, in microseconds.
const REMOVAL_WAIT: u64 = 1_000_000;

/// Keys from `start` to `end`, both included; `None` is without bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) start: Option<Vec<u8>>,
    pub(crate) end: Option<Vec<u8>>,
}

impl Maintenance for RocksHot {
    fn salvaged(&self) -> u64 {
        self.salvaged.load(Ordering::Relaxed)
    }

    fn damaged_logs(&self) -> &[PathBuf] {
        &self.damaged_logs
    }

    fn folder(&self) -> Option<&Path> {
        Some(&self.path)
    }

    fn size_on_disk(&self) -> Result<ByteCount> {
        folder::size(&self.path)
    }

    fn reclaim(&self, mode: ReclaimMode, interrupt: &Interrupt) -> Result<Reclaimed> {
        let _one_at_a_time = self.reclaiming.lock().unwrap_or_else(PoisonError::into_inner);
        let attempt = format!("reclaim space of hot tier {}", self.path.display());
        let before = self.size_on_disk()?;
        interrupt.check(&attempt)?;
        self.db.flush().map_err(|error| failed(attempt.as_str(), error))?;
        self.compact(mode, interrupt, &attempt)?;
        self.await_removal(&attempt)?;
        Ok(Reclaimed { before, after: self.size_on_disk()? })
    }

    /// Everything once more: as much as an open scan can keep from being removed meanwhile.
    fn full_reclaim_needs(&self) -> Result<ByteCount> {
        self.size_on_disk()
    }
}

impl RocksHot {
    fn compact(&self, mode: ReclaimMode, interrupt: &Interrupt, attempt: &str) -> Result<()> {
        let files = self.db.live_files().map_err(|error| failed(attempt, error))?;
        if mode == ReclaimMode::Online && files.iter().all(|file| file.num_deletions == 0) {
            return Ok(());
        }
        let failures = self.background_failures()?;
        let options = compaction(mode);
        for piece in pieces(&files, PIECE) {
            interrupt.check(attempt)?;
            self.db.compact_range_opt(piece.start, piece.end, &options);
            self.compacted(failures, attempt)?;
        }
        Ok(())
    }

    pub(crate) fn background_failures(&self) -> Result<u64> {
        let count = self.db.property_int_value(properties::BACKGROUND_ERRORS);
        let count =
            count.map_err(|error| failed(format!("ask {} how it fares", self.path.display()), error))?;
        Ok(count.unwrap_or(0))
    }

    /// Whether a manual compaction has gone well, before which so many failures had been counted: the call itself tells of
    /// none. An engine that had stopped before does nothing, and counts nothing.
    pub(crate) fn compacted(&self, failures: u64, attempt: &str) -> Result<()> {
        if self.background_failures()? > failures {
            return Err(self.background_error(attempt));
        }
        match self.db.wait_for_compact(&wait_of(1)) {
            Err(error) if error.kind() != Rocks::TimedOut => Err(failed(attempt, error)),
            _ => Ok(()),
        }
    }

    fn background_error(&self, attempt: &str) -> PortError {
        match self.db.wait_for_compact(&short_wait()) {
            Err(error) if error.kind() != Rocks::TimedOut => failed(attempt, error),
            _ => {
                PortError::bare(ErrorKind::Unavailable, format!("{attempt}: a background compaction failed"))
            }
        }
    }

    /// Replaced files go in the background. With writers at work there is no end to wait for: then a while will do.
    fn await_removal(&self, attempt: &str) -> Result<()> {
        match self.db.wait_for_compact(&short_wait()) {
            Err(error) if error.kind() != Rocks::TimedOut => Err(failed(attempt, error)),
            _ => Ok(()),
        }
    }
}

fn short_wait() -> WaitForCompactOptions {
    wait_of(REMOVAL_WAIT)
}

fn wait_of(micros: u64) -> WaitForCompactOptions {
    let mut options = WaitForCompactOptions::default();
    options.set_timeout(micros);
    options
}

fn compaction(mode: ReclaimMode) -> CompactOptions {
    let mut options = CompactOptions::default();
    // The engine's own compactions go on beside ours, or writers would be stalled.
    options.set_exclusive_manual_compaction(false);
    options.set_bottommost_level_compaction(match mode {
        // There always is a filter, inert: the engine's default would rewrite everything.
        ReclaimMode::Online => BottommostLevelCompaction::Skip,
        ReclaimMode::Full => BottommostLevelCompaction::ForceOptimized,
    });
    options
}

/// All keys in pieces of about so many bytes, cut where files of the deepest level end.
pub(crate) fn pieces(files: &[LiveFile], bytes: u64) -> Vec<Piece> {
    let deepest = files.iter().map(|file| file.level).max().filter(|&level| level > 0);
    let mut ends: Vec<(&[u8], u64)> = files
        .iter()
        .filter(|file| Some(file.level) == deepest)
        .filter_map(|file| Some((file.end_key.as_deref()?, file.size as u64)))
        .collect();
    ends.sort_unstable();
    // The last file's end is no cut: the last piece has no end.
    ends.pop();
    let mut pieces = vec![];
    let mut start = None;
    let mut size = 0;
    for (end, len) in ends {
        size += len;
        if size >= bytes {
            pieces.push(Piece { start: start.replace(successor(end)), end: Some(end.to_vec()) });
            size = 0;
        }
    }
    pieces.push(Piece { start, end: None });
    pieces
}

/// The least key above `key`.
pub(crate) fn successor(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(level: i32, end: u8, size: u64) -> LiveFile {
        LiveFile {
            column_family_name: "default".to_owned(),
            name: String::new(),
            size: usize::try_from(size).unwrap(),
            level,
            start_key: None,
            end_key: Some(vec![end]),
            num_entries: 1,
            num_deletions: 0,
        }
    }

    #[test]
    fn pieces_cover_all_keys_once_and_end_where_files_of_the_last_level_end() {
        let half = PIECE / 2;
        let files = [file(0, 255, 1), file(6, 4, half), file(6, 2, half), file(6, 6, half), file(6, 8, half)];
        let piece = |start: Option<&[u8]>, end: Option<&[u8]>| Piece {
            start: start.map(<[u8]>::to_vec),
            end: end.map(<[u8]>::to_vec),
        };
        assert_eq!(pieces(&files, PIECE), [piece(None, Some(&[4])), piece(Some(&[4, 0]), None)]);
    }

    #[test]
    fn small_pieces_take_tables_one_by_one() {
        let files = [file(6, 2, PIECE / 2), file(6, 4, PIECE / 2), file(6, 6, PIECE / 8), file(6, 8, 1)];
        let ends = |bytes| pieces(&files, bytes).into_iter().map(|piece| piece.end).collect::<Vec<_>>();
        assert_eq!(ends(PIECE / 4), [Some(vec![2]), Some(vec![4]), None]);
        assert_eq!(ends(PIECE), [Some(vec![4]), None]);
    }

    #[test]
    fn without_files_below_the_first_level_there_is_one_piece() {
        assert_eq!(
            pieces(&[file(0, 1, PIECE), file(0, 2, PIECE)], PIECE),
            [Piece { start: None, end: None }]
        );
        assert_eq!(pieces(&[], PIECE), [Piece { start: None, end: None }]);
    }
}
