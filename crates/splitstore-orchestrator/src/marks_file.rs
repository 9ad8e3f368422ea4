//! The sealed marks of a run on disk, and how recovery gets them back.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use splitstore_ports::{FileSystem, PortError, SetHint};

use crate::components::MarkSets;
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::mark_notes;
use crate::records::{FileKind, RecordReader, RecordWriter};
use crate::sets::WalkSets;
use crate::store::Inner;
use crate::stream::{StreamReader, StreamWriter};

/// File name in a run's folder.
pub(crate) const NAME: &str = "marks";

/// Writes the marks durably.
pub(crate) fn write(files: &Arc<dyn FileSystem>, folder: &Path, sets: &WalkSets) -> Result<()> {
    let mut records = RecordWriter::create(files, &folder.join(NAME), FileKind::Marks)?;
    let mut stream = StreamWriter::new(&mut records);
    sets.visits.seal(&mut stream)?;
    stream.flush().map_err(|source| PortError::io("write marks", source))?;
    stream.finish()?;
    records.sync()?;
    Ok(files.sync_dir(folder)?)
}

/// Reads every record, to know that the file is sound: after that, what fails is something else.
fn check(files: &dyn FileSystem, path: &Path) -> Result<()> {
    let records = RecordReader::open(files, path, FileKind::Marks)?;
    let missing = || Error::DamagedFile { path: path.into(), fault: "the sealed marks are missing" };
    let mut records = records.ok_or_else(missing)?;
    while let Some(piece) = records.next_record()? {
        if piece.is_empty() {
            return Ok(());
        }
    }
    Err(records.damage("the sealed marks are cut"))
}

/// Reads the marks of the sealed run of this index, those noted after the seal included: the filter that the run
/// had.
pub(crate) fn recover(cx: &Inner, folder: &Path, run: u64) -> Result<Arc<Filter>> {
    let path = folder.join(NAME);
    check(&*cx.files, &path)?;
    let records = RecordReader::open(&*cx.files, &path, FileKind::Marks)?;
    let missing = Error::DamagedFile { path, fault: "the sealed marks are missing" };
    let mut stream = StreamReader::new(records.ok_or(missing)?);
    let scratch = folder.join("recovered");
    cx.files.remove_dir(&scratch)?;
    cx.files.create_dir(&scratch)?;
    let hint = SetHint { expected: 0, universe: &*cx.tiers.hot, folder: &scratch };
    let (MarkSets::Exact(factory) | MarkSets::Split { visits: factory, .. }) = &cx.marks;
    let sets = WalkSets::new(factory.recover_visits(&mut stream, &hint)?, None);
    let mut first = Vec::new();
    mark_notes::read(&*cx.tiers.hot, run, &mut |visits| {
        first.clear();
        sets.visit(&visits, &mut first)
    })?;
    Ok(Filter::new(sets, cx.tiers.clone(), run, cx.options.policy.cold()))
}
