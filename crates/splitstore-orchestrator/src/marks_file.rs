//! The sealed marks of a run on disk, and how recovery gets them back.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use splitstore_ports::{FileSystem, MarkSet, PortError, SetHint};

use crate::components::MarkSets;
use crate::error::{Error, Result};
use crate::filter::{REFERENCES, decode_keys};
use crate::records::{FileKind, RecordReader, RecordWriter};
use crate::store::Inner;
use crate::stream::{StreamReader, StreamWriter};
use crate::walk::WalkSets;

/// File name in a run's folder.
pub(crate) const NAME: &str = "marks";

/// Writes the marks durably.
pub(crate) fn write(files: &dyn FileSystem, folder: &Path, sets: &WalkSets) -> Result<()> {
    let mut records = RecordWriter::create(files, &folder.join(NAME), FileKind::Marks)?;
    let mut stream = StreamWriter::new(&mut records);
    sets.visits.seal(&mut stream)?;
    stream.flush().map_err(|source| PortError::io("write marks", source))?;
    stream.finish()?;
    records.sync()?;
    Ok(files.sync_dir(folder)?)
}

/// Reads the marks of a sealed run, those logged after the seal included.
pub(crate) fn recover(cx: &Inner, folder: &Path) -> Result<Arc<dyn MarkSet>> {
    let path = folder.join(NAME);
    let records = RecordReader::open(&*cx.files, &path, FileKind::Marks)?;
    let missing = Error::DamagedFile { path, fault: "the sealed marks are missing" };
    let mut stream = StreamReader::new(records.ok_or(missing)?);
    let scratch = folder.join("recovered");
    cx.files.remove_dir(&scratch)?;
    cx.files.create_dir(&scratch)?;
    let hint = SetHint { expected: 0, universe: &*cx.tiers.hot, folder: &scratch };
    let (MarkSets::Exact(factory) | MarkSets::Split { visits: factory, .. }) = &cx.marks;
    let marks = factory.recover(&mut stream, &hint)?;
    recover_references(cx, folder, &*marks)?;
    Ok(marks)
}

/// Marks what was logged after the seal; a torn last record was never acknowledged.
fn recover_references(cx: &Inner, folder: &Path, marks: &dyn MarkSet) -> Result<()> {
    let path = folder.join(REFERENCES);
    let Some(mut records) = RecordReader::open(&*cx.files, &path, FileKind::References)? else {
        return Err(Error::DamagedFile { path, fault: "the log of references is missing" });
    };
    while let Some(payload) = records.next_record()? {
        let keys = decode_keys(&payload).ok_or_else(|| records.damage("a reference cannot be read"))?;
        marks.mark_many(&keys)?;
    }
    Ok(())
}
