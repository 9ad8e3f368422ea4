//! Giving space back: redb compacts a file as a whole, and alone.

use std::path::Path;

use splitstore_ports::domain::ByteCount;
use splitstore_ports::{ErrorKind, Interrupt, Maintenance, PortError, ReclaimMode, Reclaimed, Result};

use crate::cold::RedbCold;

const VERB: &str = "reclaim the space of";

/// How often to wait for reads to end, 100 ms each: five seconds.
const SLICES: u32 = 50;

/// The most that redb lets a file grow at once: one region of its layout.
const REGION: u64 = 4 << 30;

/// What the commits of a compaction take besides the pages they move.
const SLACK: u64 = 4 << 20;

/// **Stall.** `Full` has the file alone. It waits for an instant without reads, scans and writes, and holds up
/// none of them while it waits; where none comes within five seconds, because of a long scan or of many threads
/// that read without a pause, it is `Unavailable` and nothing was done. Once it has begun all others wait until
/// it is done, which takes about as long as writing the file once. It can be interrupted while it waits, not
/// while it works. `Online` is `Unsupported`.
///
/// **Crash.** A crash in the middle loses nothing, but the next open walks the whole file: redb compacts without
/// keeping what quick repair needs.
impl Maintenance for RedbCold {
    fn folder(&self) -> Option<&Path> {
        self.file.folder()
    }

    fn size_on_disk(&self) -> Result<ByteCount> {
        self.file.size()
    }

    fn reclaim(&self, mode: ReclaimMode, interrupt: &Interrupt) -> Result<Reclaimed> {
        if mode == ReclaimMode::Online {
            let why = "redb compacts a file only as a whole, while nobody uses it";
            return Err(PortError::new(ErrorKind::Unsupported, self.file.attempt(VERB), why));
        }
        self.file.check_writable(VERB)?;
        let before = self.file.size()?;
        self.file.compact(VERB, SLICES, interrupt)?;
        Ok(Reclaimed { before, after: self.file.size()? })
    }

    fn full_reclaim_needs(&self) -> Result<ByteCount> {
        // A full file doubles, up to a region, before it can be packed. Most of that stays a hole.
        let size = self.file.size()?;
        Ok(ByteCount(size.0.min(REGION)) + ByteCount(SLACK))
    }
}
