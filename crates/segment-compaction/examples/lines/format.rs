//! A format as small as can be: lines of `KEY VALUE`, sorted, counted, with a checksum. Blocks are opaque.
//!
//! ```text
//!   000000001-000000001.lines          000000001-000000001.deleted
//!   apple red                          pear
//!   pear green
//!   # 2 1c9e0f62a3b45d87               entries, FNV-1a of all before
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use segment_compaction::{
    Cancel, Fill, FormatError, MergeMode, Merger, Naming, Output, ReadAt, Room, Segment, SegmentFormat,
    SegmentStats, SegmentWriter, Tombstones,
};

/// Extension of the sidecar that names deleted keys.
pub(crate) const DELETED: &str = "deleted";

/// The format; a segment takes no more than so many lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines {
    pub(crate) lines_max: u64,
}

impl SegmentFormat for Lines {
    type Merger = Merge;
    type Writer = Sheet;

    fn naming(&self) -> Naming {
        Naming::nine("lines", &[DELETED])
    }

    fn stats(&self, segment: &Segment) -> Result<SegmentStats, FormatError> {
        let (lines, bytes) = read(segment)?;
        let count = lines.len() as u64;
        let fill = Fill { keys: count, blocks: count, full_blocks: count, points: count, points_max: 1 };
        let tombstones = if deleted(segment)?.is_empty() { Tombstones::None } else { Tombstones::Some };
        Ok(SegmentStats { bytes, fill, tombstones, room: room(count, self.lines_max) })
    }

    fn merger(&self, inputs: &[Segment], _: MergeMode, cancel: &Cancel) -> Result<Merge, FormatError> {
        Ok(Merge::new(content(inputs)?, cancel))
    }

    fn writer(&self, output: Output) -> Result<Sheet, FormatError> {
        Ok(Sheet { output, lines: 0, lines_max: self.lines_max, hash: Fnv::default() })
    }

    fn verify(&self, segment: &Segment, cancel: &Cancel) -> Result<SegmentStats, FormatError> {
        cancel.check()?;
        self.stats(segment)
    }
}

/// What readers of these segments see: the newest line of each key, unless it is deleted where it stands.
pub(crate) fn content(segments: &[Segment]) -> Result<BTreeMap<String, String>, FormatError> {
    let mut all = BTreeMap::new();
    for segment in segments {
        let gone = deleted(segment)?;
        all.extend(read(segment)?.0.into_iter().filter(|(key, _)| !gone.contains(key)));
    }
    Ok(all)
}

/// Deletes a key from one segment.
pub(crate) fn delete(segment: &Segment, key: &str) -> Result<(), FormatError> {
    let mut gone = deleted(segment)?;
    gone.insert(key.to_string());
    let text: String = gone.into_iter().map(|key| key + "\n").collect();
    let (path, temporary) = (segment.sidecar_path(DELETED), segment.sidecar_path("deleted.new.tmp"));
    let mut file = segment.files().create_new(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync()?;
    segment.files().rename(&temporary, &path)?;
    Ok(segment.files().sync_dir(path.parent().unwrap_or(&path))?)
}

fn deleted(segment: &Segment) -> Result<BTreeSet<String>, FormatError> {
    let Some(file) = segment.open_sidecar(DELETED)? else { return Ok(BTreeSet::new()) };
    let text = text(&*file).map_err(|error| FormatError::corrupt(segment.id, error))?;
    Ok(text.lines().map(String::from).collect())
}

fn read(segment: &Segment) -> Result<(Vec<(String, String)>, u64), FormatError> {
    let corrupt = |what: String| FormatError::corrupt(segment.id, what);
    let text = text(&*segment.open()?).map_err(|error| corrupt(error.to_string()))?;
    let (body, footer) = text.strip_suffix('\n').and_then(|text| text.rsplit_once("# ")).unwrap_or_default();
    let lines: Option<Vec<_>> = body.lines().map(|line| line.split_once(' ')).collect();
    let lines = lines.ok_or_else(|| corrupt("a line has no value".into()))?;
    let mut hash = Fnv::default();
    hash.add(body.as_bytes());
    if footer != format!("{} {:016x}", lines.len(), hash.0) {
        return Err(corrupt(format!("footer `{footer}` is not of these {} lines", lines.len())));
    }
    if let Some(pair) = lines.windows(2).find(|pair| pair[0].0 >= pair[1].0) {
        return Err(corrupt(format!("key `{}` is out of order", pair[1].0)));
    }
    let owned = lines.into_iter().map(|(key, value)| (key.to_string(), value.to_string()));
    Ok((owned.collect(), text.len() as u64))
}

fn text(file: &dyn ReadAt) -> io::Result<String> {
    let len = usize::try_from(file.len()?).map_err(io::Error::other)?;
    let mut bytes = vec![0; len];
    file.read_exact_at(&mut bytes, 0)?;
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

fn room(lines: u64, lines_max: u64) -> Room {
    if lines < lines_max { Room::Open } else { Room::Closed }
}

/// A merge: a real format would not hold it all in memory.
pub(crate) struct Merge {
    rest: std::collections::btree_map::IntoIter<String, String>,
    ready: Option<(String, String)>,
    cancel: Cancel,
}

impl Merge {
    /// A merge of what is in memory: a snapshot.
    pub(crate) fn new(lines: BTreeMap<String, String>, cancel: &Cancel) -> Self {
        Self { rest: lines.into_iter(), ready: None, cancel: cancel.clone() }
    }
}

impl Merger for Merge {
    type Writer = Sheet;

    fn advance(&mut self) -> Result<bool, FormatError> {
        self.cancel.check()?;
        self.ready = self.rest.next();
        Ok(self.ready.is_some())
    }

    fn write(&mut self, writer: &mut Sheet) -> Result<(), FormatError> {
        let (key, value) = self.ready.take().ok_or_else(|| FormatError::refused("no line is ready"))?;
        writer.line(&key, &value)
    }
}

/// One segment being written.
pub(crate) struct Sheet {
    output: Output,
    lines: u64,
    lines_max: u64,
    hash: Fnv,
}

impl Sheet {
    pub(crate) fn line(&mut self, key: &str, value: &str) -> Result<(), FormatError> {
        let line = format!("{key} {value}\n");
        self.output.write_all(line.as_bytes())?;
        self.hash.add(line.as_bytes());
        self.lines += 1;
        Ok(())
    }
}

impl SegmentWriter for Sheet {
    fn bytes(&self) -> u64 {
        self.output.written()
    }

    fn room(&self) -> Room {
        room(self.lines, self.lines_max)
    }

    fn finish(mut self) -> Result<Output, FormatError> {
        writeln!(self.output, "# {} {:016x}", self.lines, self.hash.0)?;
        Ok(self.output)
    }
}

struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
