//! Writing outputs: blocks into segments, rolled over where a limit says so.
//!
//! ```text
//!   block block block | block block | block       > segment_bytes_max, or the format's room is closed: next output
//!   8-2                 8-3           8-4         each synced, then read back, before anything is installed
//! ```

use std::io;

use crate::compactor::Compactor;
use crate::error::{CompactError, FormatError};
use crate::files::FileSystem;
use crate::format::{Merger, Room, SegmentFormat, SegmentWriter};
use crate::generation::SegmentId;
use crate::interrupt::Cancel;
use crate::observer::Event;
use crate::output::{Output, Synced};
use crate::segment::Segment;
use crate::stats::SegmentStats;
use crate::throttle::Throttle;

/// Blocks between two progress events.
const PROGRESS_BLOCKS: u64 = 1024;

/// An output that was read back and found good. Only such are installed.
pub(crate) struct Verified {
    pub(crate) id: SegmentId,
    pub(crate) synced: Synced,
    pub(crate) stats: SegmentStats,
}

/// How fast a run may write, and whether it is to stop.
#[derive(Clone, Copy)]
pub(crate) struct Pace<'a> {
    pub(crate) throttle: &'a Throttle,
    pub(crate) cancel: &'a Cancel,
}

/// One run of a merger into outputs.
pub(crate) struct Writing<'a, F: SegmentFormat> {
    pub(crate) compactor: &'a Compactor<F>,
    pub(crate) pace: Pace<'a>,
    pub(crate) of_bytes: u64,
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
}

impl<F: SegmentFormat> Writing<'_, F> {
    /// Writes all that the merger gives, from segment `first` on.
    pub(crate) fn all<M: Merger<Writer = F::Writer>>(
        &mut self,
        mut merger: M,
        first: SegmentId,
    ) -> Result<Vec<Verified>, CompactError> {
        let mut done = Vec::new();
        let mut next = first;
        while self.advance(&mut merger)? {
            let output = self.one(&mut merger, next)?;
            let more = output.1;
            done.push(output.0);
            if !more {
                break;
            }
            next.sequence = next.sequence.next().ok_or(CompactError::Exhausted(next))?;
        }
        Ok(done)
    }

    /// Writes one output. A block is ready; says whether one is ready again for the next.
    fn one<M: Merger<Writer = F::Writer>>(
        &mut self,
        merger: &mut M,
        id: SegmentId,
    ) -> Result<(Verified, bool), CompactError> {
        let attempt = format!("write segment {id}");
        let wrong = |error: FormatError| CompactError::format(attempt.as_str(), error);
        let output = self.create(id).map_err(|error| CompactError::io(attempt.as_str(), error))?;
        let mut writer = self.compactor.format().writer(output).map_err(wrong)?;
        loop {
            merger.write(&mut writer).map_err(wrong)?;
            self.blocks += 1;
            self.progress(writer.bytes());
            if self.is_full(&writer) || !self.advance(merger)? {
                break;
            }
        }
        let full = self.is_full(&writer);
        let output = writer.finish().map_err(wrong)?;
        let synced = output.sync().map_err(|error| CompactError::io(attempt.as_str(), error))?;
        self.bytes += synced.bytes;
        let verified = self.verify(id, synced)?;
        Ok((verified, full))
    }

    fn advance<M: Merger>(&self, merger: &mut M) -> Result<bool, CompactError> {
        self.pace.cancel.check()?;
        merger.advance().map_err(|error| CompactError::format("merge", error))
    }

    fn is_full(&self, writer: &F::Writer) -> bool {
        writer.room() == Room::Closed || writer.bytes() > self.compactor.segment_bytes_max()
    }

    fn create(&self, id: SegmentId) -> io::Result<Output> {
        let folder = self.compactor.folder();
        let name = folder.naming().segment(id);
        Output::create(folder.files(), folder.path(), &name, self.pace.throttle, self.pace.cancel)
    }

    /// Reads an output from its file as any reader would, still under its temporary name.
    fn verify(&self, id: SegmentId, synced: Synced) -> Result<Verified, CompactError> {
        let folder = self.compactor.folder();
        let name = synced.temporary.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let segment = Segment::new(id, folder.path().into(), name, std::sync::Arc::clone(folder.files()));
        let verified = self.compactor.format().verify(&segment, self.pace.cancel);
        let stats =
            verified.map_err(|error| CompactError::format(format!("verify new segment {id}"), error))?;
        self.compactor.tell(&Event::Verified { id, bytes: stats.bytes });
        Ok(Verified { id, synced, stats })
    }

    fn progress(&self, of_this: u64) {
        if self.blocks.is_multiple_of(PROGRESS_BLOCKS) {
            let bytes = self.bytes + of_this;
            self.compactor.tell(&Event::Progress { blocks: self.blocks, bytes, of_bytes: self.of_bytes });
        }
    }
}

/// Checks that what a merge may write fits on the disk.
pub(crate) fn check_space(
    files: &dyn FileSystem,
    folder: &std::path::Path,
    needed: u64,
) -> Result<(), CompactError> {
    let attempt = || format!("ask for free space in {}", folder.display());
    let free = files.free_space(folder).map_err(|error| CompactError::io(attempt(), error))?;
    match free {
        Some(free) if free < needed => Err(CompactError::NotEnoughSpace { needed, free }),
        _ => Ok(()),
    }
}
