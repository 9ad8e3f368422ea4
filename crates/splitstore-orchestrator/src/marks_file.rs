//! The sealed marks of a run on disk, and how recovery gets them back.
//!
//! ```text
//!   version 2   stream: 1, exact set as it was frozen
//!               stream: 2, bitmap of a snapshot             if the run marked by scan: the set has the rest
//!               stream: 1, exact set of what came later
//!               empty stream
//!   version 1   stream: exact set
//! ```
//! The last set is what references added after the others were frozen. All else takes long, and is written before the
//! filter is on.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use splitstore_ports::{FileSystem, PortError, SetHint, VisitSet};

use crate::components::MarkSets;
use crate::error::{Error, Result};
use crate::filter::{Filter, Leaving};
use crate::graph::{Bitmap, Written};
use crate::mark_notes;
use crate::records::{FileKind, RecordReader, RecordWriter};
use crate::sets::WalkSets;
use crate::store::Inner;
use crate::stream::{StreamReader, StreamWriter};

/// File name in a run's folder.
pub(crate) const NAME: &str = "marks";

/// What a part begins with: an exact set follows.
const VISITS: u8 = 1;
/// A bitmap and the names of its keys follow: they belong to the exact set before.
const BITMAP: u8 = 2;
/// Words of a bitmap written, and synced, in one step: 16 MiB.
const WORDS: usize = 2 << 20;

/// Writes marks part by part.
pub(crate) struct MarksWriter {
    records: RecordWriter,
}

impl MarksWriter {
    pub(crate) fn create(files: &Arc<dyn FileSystem>, folder: &Path) -> Result<Self> {
        Ok(Self { records: RecordWriter::create(files, &folder.join(NAME), FileKind::Marks)? })
    }

    /// Writes the exact set of these sets, unless it is told not to go on.
    pub(crate) fn add(&mut self, sets: &WalkSets, goes_on: &dyn Fn() -> Result<()>) -> Result<()> {
        let mut stream = StreamWriter::new(&mut self.records, goes_on);
        stream.write_all(&[VISITS]).map_err(unwritten)?;
        if let Err(error) = sets.seal_visits(&mut stream) {
            // The set's error would hide why.
            goes_on()?;
            return Err(error.into());
        }
        stream.finish()
    }

    /// Writes a bitmap from where it stands; where it stands then, `None` at the end.
    pub(crate) fn add_bitmap(&mut self, bitmap: &Bitmap, written: Written) -> Result<Option<Written>> {
        let mut stream = StreamWriter::new(&mut self.records, &|| Ok(()));
        if written == Written::default() {
            stream.write_all(&[BITMAP]).map_err(unwritten)?;
        }
        let written = bitmap.seal_some(written, WORDS, &mut stream).map_err(unwritten)?;
        let ended = if written.is_some() { stream.pause() } else { stream.finish() };
        ended?;
        self.sync()?;
        Ok(written)
    }

    /// Makes durable what was written so far, so that the end has less to do.
    pub(crate) fn sync(&mut self) -> Result<()> {
        self.records.sync()
    }

    /// Writes the end, durably.
    pub(crate) fn finish(mut self, files: &dyn FileSystem, folder: &Path) -> Result<()> {
        self.records.append(&[])?;
        self.records.sync()?;
        Ok(files.sync_dir(folder)?)
    }
}

fn unwritten(source: std::io::Error) -> PortError {
    PortError::io("write marks", source)
}

/// Reads every record, to know that the file is sound: after that, what fails is something else.
fn check(files: &dyn FileSystem, path: &Path) -> Result<()> {
    let mut records = open(files, path)?;
    let mut ends = records.version() == 1;
    while let Some(piece) = records.next_record()? {
        if piece.is_empty() && ends {
            return Ok(());
        }
        // The end of all streams is one that has no piece.
        ends = piece.is_empty() || records.version() == 1;
    }
    Err(records.damage("the sealed marks are cut"))
}

fn open(files: &dyn FileSystem, path: &Path) -> Result<RecordReader> {
    let records = RecordReader::open(files, path, FileKind::Marks)?;
    records.ok_or_else(|| Error::DamagedFile { path: path.into(), fault: "the sealed marks are missing" })
}

/// Reads the marks of the sealed run of this index, those noted after the seal included: the filter that the run
/// had.
pub(crate) fn recover(cx: &Inner, folder: &Path, run: u64, leaving: Leaving) -> Result<Arc<Filter>> {
    let path = folder.join(NAME);
    check(&*cx.files, &path)?;
    let scratch = folder.join("recovered");
    cx.files.remove_dir(&scratch)?;
    let sets = read(&*cx.files, &path, &mut |stream, part| {
        let folder = scratch.join(part.to_string());
        cx.files.create_dir(&folder)?;
        let hint = SetHint { expected: 0, universe: &*cx.tiers.hot, folder: &folder };
        let (MarkSets::Exact(factory) | MarkSets::Split { visits: factory, .. }) = &cx.marks;
        Ok(factory.recover_visits(stream, &hint)?)
    })?;
    let mut first = Vec::new();
    mark_notes::read(&*cx.tiers.hot, run, &mut |visits| {
        first.clear();
        sets.visit(&visits, &mut first)
    })?;
    Ok(Filter::new(sets, cx.tiers.clone(), run, leaving))
}

/// Makes the exact set of the part of this number.
type Recover<'a> = &'a mut dyn FnMut(&mut dyn Read, u32) -> Result<Arc<dyn VisitSet>>;

/// Reads a file that is sound.
fn read(files: &dyn FileSystem, path: &Path, recover: Recover<'_>) -> Result<WalkSets> {
    let records = open(files, path)?;
    let version = records.version();
    let mut stream = StreamReader::new(records);
    if version == 1 {
        return Ok(WalkSets::new(recover(&mut stream, 0)?, None));
    }
    let failed = |source| PortError::io(format!("read {}", path.display()), source);
    let mut sets: Option<WalkSets> = None;
    for part in 0.. {
        let mut tag = [0];
        if stream.read(&mut tag).map_err(failed)? == 0 {
            break;
        }
        sets = Some(match (tag, sets) {
            ([VISITS], None) => WalkSets::new(recover(&mut stream, part)?, None),
            ([VISITS], Some(sets)) => sets.frozen(recover(&mut stream, part)?),
            ([BITMAP], Some(sets)) => sets.with_bitmap(Bitmap::unseal(&mut stream).map_err(failed)?),
            _ => {
                return Err(Error::DamagedFile { path: path.into(), fault: "a part is of no known kind" });
            }
        });
        stream = stream.next_stream()?;
    }
    sets.ok_or_else(|| Error::DamagedFile { path: path.into(), fault: "the sealed marks are missing" })
}

#[cfg(all(test, not(interleaved)))]
mod tests {
    #![expect(clippy::unwrap_used, reason = "what a test cannot unwrap has failed it")]

    use splitstore_domain::BlockKey;
    use splitstore_marksets::ExactSets;
    use splitstore_memory::{MemoryFiles, MemoryStore};
    use splitstore_ports::{Reading, Visit, VisitSetFactory};

    use super::*;

    fn visit(number: u8) -> Visit {
        let key = BlockKey::from_bytes(&[&[0x12, 0x20][..], &[number; 32]].concat()).unwrap();
        Visit { key, reading: Reading::Dag }
    }

    fn new_set() -> Arc<dyn VisitSet> {
        let hint = SetHint { expected: 0, universe: &MemoryStore::hot(), folder: Path::new("") };
        VisitSetFactory::create(&ExactSets, &hint).unwrap()
    }

    /// Visited: 1 before freezing, 2 after it.
    fn sets() -> (WalkSets, WalkSets) {
        let before = WalkSets::new(new_set(), None);
        before.visit(&[visit(1)], &mut Vec::new()).unwrap();
        let after = before.clone().frozen(new_set());
        let mut first = Vec::new();
        after.visit(&[visit(1), visit(2), visit(2)], &mut first).unwrap();
        assert_eq!(first, [false, true, false], "what is frozen was visited");
        (before, after)
    }

    fn read_back(files: &MemoryFiles) -> Result<WalkSets> {
        let path = Path::new("run").join(NAME);
        check(files, &path)?;
        read(files, &path, &mut |stream, _| {
            let hint = SetHint { expected: 0, universe: &MemoryStore::hot(), folder: Path::new("") };
            Ok(ExactSets.recover_visits(stream, &hint)?)
        })
    }

    fn folder() -> Arc<dyn FileSystem> {
        Arc::new(MemoryFiles::with_folder(Path::new("run")).unwrap())
    }

    fn of(files: &Arc<dyn FileSystem>) -> MemoryFiles {
        let copy = MemoryFiles::with_folder(Path::new("run")).unwrap();
        let path = Path::new("run").join(NAME);
        let mut bytes = Vec::new();
        files.open(&path).unwrap().unwrap().read_to_end(&mut bytes).unwrap();
        copy.create(&path).unwrap().write_all(&bytes).unwrap();
        copy
    }

    #[test]
    fn marks_from_before_and_after_freezing_come_back() {
        let (files, (before, after)) = (folder(), sets());
        let mut marks = MarksWriter::create(&files, Path::new("run")).unwrap();
        marks.add(&before, &|| Ok(())).unwrap();
        marks.sync().unwrap();
        assert!(read_back(&of(&files)).is_err(), "without its end it is cut");
        marks.add(&after, &|| Ok(())).unwrap();
        assert!(read_back(&of(&files)).is_err());
        marks.finish(&*files, Path::new("run")).unwrap();
        let sets = read_back(&of(&files)).unwrap();
        let asked = [visit(1), visit(2), visit(3)];
        assert_eq!(sets.visited(&asked).unwrap(), [true, true, false]);
        assert_eq!(sets.marked(&asked.map(|visit| visit.key)).unwrap(), [true, true, false]);
        assert_eq!(sets.len(), 2);
    }

    #[test]
    fn who_writes_marks_stops_when_told_and_says_why() {
        let (files, (before, _)) = (folder(), sets());
        let mut marks = MarksWriter::create(&files, Path::new("run")).unwrap();
        let stop = || Err(Error::Stopped(splitstore_domain::Phase::Seal));
        assert!(matches!(marks.add(&before, &stop), Err(Error::Stopped(_))));
    }

    #[test]
    fn a_file_of_version_1_is_one_set() {
        let (files, (before, _)) = (folder(), sets());
        let path = Path::new("run").join(NAME);
        let mut records = RecordWriter::create(&files, &path, FileKind::Marks).unwrap();
        let mut stream = StreamWriter::new(&mut records, &|| Ok(()));
        before.seal_visits(&mut stream).unwrap();
        stream.finish().unwrap();
        let mut bytes = Vec::new();
        files.open(&path).unwrap().unwrap().read_to_end(&mut bytes).unwrap();
        bytes[8] = 1;
        files.create(&path).unwrap().write_all(&bytes).unwrap();
        let sets = read_back(&of(&files)).unwrap();
        assert_eq!(sets.visited(&[visit(1), visit(2)]).unwrap(), [true, false]);
    }
}
