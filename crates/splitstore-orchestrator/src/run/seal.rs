//! Seal: the marks become the read filter and durable; the last step that may still be given up.
//!
//! ```text
//!   drain references, walk them           readers and writers go on, new references may come
//!   take the gate alone: drain the rest, install the filter
//!   write marks, sync, sync the folder, note Sealed        from here on recovery resumes
//! ```
//! From the moment the filter is on, new marks are logged before the block that needs them is written, so the
//! marks file need not hold them.

use splitstore_domain::PhaseReport;
use splitstore_ports::Visit;

use super::transfer::Settled;
use super::{Work, count};
use crate::candidates::CandidateReader;
use crate::error::Result;
use crate::filter::{Filter, REFERENCES};
use crate::journal::Fact;
use crate::marks_file;
use crate::records::{FileKind, RecordWriter};
use crate::store::Inner;
use crate::walk::WalkSets;

/// Evidence: recovery can finish the purge without us.
pub(crate) struct Sealed {
    pub(crate) work: Work,
    pub(crate) sets: WalkSets,
    pub(crate) marked: u64,
}

pub(crate) fn run(cx: &Inner, settled: Settled, meter: &mut PhaseReport) -> Result<Sealed> {
    let Settled { mut work, sets, chunks } = settled;
    CandidateReader::open(&*cx.files, &work.folder)?.check()?;
    let mut log = RecordWriter::create(&*cx.files, &work.folder.join(REFERENCES), FileKind::References)?;
    log.sync()?;
    cx.files.sync_dir(&work.folder)?;
    let filter = Filter::new(sets.clone(), cx.tiers.clone(), log);
    let mut drain = |references: &[Visit]| {
        count(meter, references.len() as u64, 0);
        filter.protect(references)
    };
    let mut references = cx.protection.take_references();
    while !references.is_empty() {
        drain(&references)?;
        references = cx.protection.take_references();
    }
    let mut gate = cx.protection.exclusive();
    drain(&gate.take_references())?;
    gate.install(filter.clone());
    drop(gate);
    let marked = sets.len();
    marks_file::write(&*cx.files, &work.folder, &sets)?;
    work.journal.note(Fact::Sealed { chunks, marked })?;
    Ok(Sealed { work, sets, marked })
}
