//! The sealed marks of a run on disk, and how recovery gets them back.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use splitstore_ports::{FileSystem, PortError, SetHint, Visit, VisitSet};

use crate::components::MarkSets;
use crate::error::{Error, Result};
use crate::filter::{Filter, REFERENCES, decode_visits};
use crate::records::{FileKind, RecordReader, RecordWriter};
use crate::store::Inner;
use crate::stream::{StreamReader, StreamWriter};
use crate::walk::WalkSets;

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

/// Reads the marks of a sealed run, those logged after the seal included, and goes on logging: the filter that
/// the run had.
pub(crate) fn recover(cx: &Inner, folder: &Path) -> Result<Arc<Filter>> {
    let path = folder.join(NAME);
    let records = RecordReader::open(&*cx.files, &path, FileKind::Marks)?;
    let missing = Error::DamagedFile { path, fault: "the sealed marks are missing" };
    let mut stream = StreamReader::new(records.ok_or(missing)?);
    let scratch = folder.join("recovered");
    cx.files.remove_dir(&scratch)?;
    cx.files.create_dir(&scratch)?;
    let hint = SetHint { expected: 0, universe: &*cx.tiers.hot, folder: &scratch };
    let (MarkSets::Exact(factory) | MarkSets::Split { visits: factory, .. }) = &cx.marks;
    let visits = factory.recover_visits(&mut stream, &hint)?;
    let (log, references) = recover_references(cx, folder, &*visits)?;
    let filter = Filter::new(WalkSets { visits, marks: None }, cx.tiers.clone(), log);
    // A block may have been purged when it was referenced, and be back because a power cut undid its delete: only
    // now can it be expanded.
    filter.protect(&references)?;
    Ok(filter)
}

/// Visits what was logged after the seal, and returns it; a torn last record was never acknowledged, and is cut
/// off.
fn recover_references(
    cx: &Inner,
    folder: &Path,
    visits: &dyn VisitSet,
) -> Result<(RecordWriter, Vec<Visit>)> {
    let path = folder.join(REFERENCES);
    let Some(mut records) = RecordReader::open(&*cx.files, &path, FileKind::References)? else {
        return Err(Error::DamagedFile { path, fault: "the log of references is missing" });
    };
    let mut first = Vec::new();
    let mut references = Vec::new();
    while let Some(payload) = records.next_record()? {
        let logged = decode_visits(&payload).ok_or_else(|| records.damage("a reference cannot be read"))?;
        first.clear();
        visits.visit_many(&logged, &mut first)?;
        references.extend(logged);
    }
    let log = RecordWriter::resume(&cx.files, &path, records.end(), FileKind::References)?;
    Ok((log, references))
}
