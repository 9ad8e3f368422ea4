//! What is final, on disk: `tenured` in the store's folder, batches that are added to its end.
//!
//! ```text
//!   record   'h' | keys of headers       (length u8 | multihash)*
//!            'l' | keys of leaves        the same
//!            'g' | headers of height 0   (length u8 | CID)*
//!            'e' | height, headers u64   the batch before it is whole; its highest tipset
//! ```
//! What stands behind the last 'e' is no batch: the next one is written over it.

use std::path::PathBuf;
use std::sync::Arc;

use cid::Cid;
use splitstore_domain::{BlockKey, Epoch};

use super::passed::Met;
use super::{Found, Passed, Tenured, Top};
use crate::error::Result;
use crate::graph::{Gathering, Index, Keyed};
use crate::records::{End, FileKind, RecordReader, RecordWriter};
use crate::store::Inner;

const NAME: &str = "tenured";
/// A record is cut when it is longer.
const RECORD: usize = 64 * 1024;

const HEADERS: u8 = b'h';
const LEAVES: u8 = b'l';
const GENESIS: u8 = b'g';
const WHOLE: u8 = b'e';

fn path(cx: &Inner) -> PathBuf {
    cx.options.folder.join(NAME)
}

/// What was read of one or more batches.
struct Read {
    headers: Gathering,
    leaves: Gathering,
    genesis: Vec<Cid>,
    top: Option<Top>,
}

impl Read {
    fn new(keyed: &Arc<Keyed>) -> Self {
        let (headers, leaves) = (Gathering::new(keyed), Gathering::new(keyed));
        Self { headers, leaves, genesis: Vec::new(), top: None }
    }
}

/// What the file holds.
pub(super) fn read(cx: &Inner, keyed: &Arc<Keyed>) -> Result<Found> {
    let Some(mut records) = RecordReader::open(&*cx.files, &path(cx), FileKind::Tenured)? else {
        return Ok(Found::default());
    };
    let (mut all, mut batch) = (Read::new(keyed), Read::new(keyed));
    let mut end = End::default();
    let mut record = Vec::new();
    while records.next_into(&mut record)? {
        let damage = || records.damage("a batch of final headers is none");
        let (kind, items) = record.split_first().ok_or_else(damage)?;
        match *kind {
            HEADERS => gather(items, &mut batch.headers).ok_or_else(damage)?,
            LEAVES => gather(items, &mut batch.leaves).ok_or_else(damage)?,
            GENESIS => batch.genesis.extend(each(items, |cid| Cid::try_from(cid).ok()).ok_or_else(damage)?),
            WHOLE => {
                all.headers.append(&mut batch.headers);
                all.leaves.append(&mut batch.leaves);
                all.genesis.append(&mut batch.genesis);
                all.top = Some(top(items).ok_or_else(damage)?);
                end = *records.end();
            }
            _ => return Err(damage()),
        }
    }
    let Some(top) = all.top.filter(|_| !all.genesis.is_empty()) else { return Ok(Found::default()) };
    // On a chain of years these are millions, and sorting them is most of the work.
    let (headers, leaves) = std::thread::scope(|scope| {
        let leaves = scope.spawn(|| all.leaves.into_index());
        (all.headers.into_index(), leaves.join().expect("sorting names does not panic"))
    });
    let tenured = Some(Arc::new(Tenured { headers, leaves, genesis: all.genesis, top }));
    Ok(Found { tenured, end })
}

/// Adds what a walk has passed to what was final before. If the walk was of another chain, that is forgotten, and
/// what was passed takes its place if it is whole.
pub(super) fn add(cx: &Inner, keyed: &Arc<Keyed>, found: &Found, passed: &Passed) -> Result<Found> {
    let same = match (&found.tenured, &passed.tenured) {
        (Some(found), Some(passed)) => Arc::ptr_eq(found, passed),
        (found, passed) => found.is_none() && passed.is_none(),
    };
    if !same {
        // A walk that was held while another run committed.
        return Ok(found.clone());
    }
    let old = found.tenured.as_ref().filter(|_| passed.met() == Met::All);
    let is_whole = old.is_some() || (passed.met() == Met::Nothing && !passed.genesis.is_empty());
    let Some(top) = passed.top().filter(|_| is_whole) else {
        return if old.is_some() { Ok(found.clone()) } else { forget(cx, found) };
    };
    let end = write(cx, old.map(|_| &found.end), passed, top)?;
    let headers = passed.headers.iter().map(|header| &header.key);
    let headers = Index::gather(keyed, old.map(|old| &old.headers), headers);
    let leaves = Index::gather(keyed, old.map(|old| &old.leaves), leaves(passed));
    let mut genesis = old.map(|old| old.genesis.clone()).unwrap_or_default();
    genesis.extend(&passed.genesis);
    Ok(Found { tenured: Some(Arc::new(Tenured { headers, leaves, genesis, top })), end })
}

fn forget(cx: &Inner, found: &Found) -> Result<Found> {
    if found.tenured.is_some() {
        cx.files.remove(&path(cx))?;
        cx.files.sync_dir(&cx.options.folder)?;
    }
    Ok(Found::default())
}

/// Writes a batch behind `end`, or as the first of a new file; durably. Where it ends.
fn write(cx: &Inner, end: Option<&End>, passed: &Passed, top: Top) -> Result<End> {
    let path = path(cx);
    let mut records = match end {
        Some(end) => RecordWriter::resume(&cx.files, &path, end, FileKind::Tenured)?,
        None => RecordWriter::create(&cx.files, &path, FileKind::Tenured)?,
    };
    let genesis: Vec<Vec<u8>> = passed.genesis.iter().map(Cid::to_bytes).collect();
    append(&mut records, HEADERS, passed.headers.iter().map(|header| header.key.as_bytes()))?;
    append(&mut records, LEAVES, leaves(passed).map(BlockKey::as_bytes))?;
    append(&mut records, GENESIS, genesis.iter().map(Vec::as_slice))?;
    let top = [top.height.height().to_le_bytes(), top.headers.to_le_bytes()].concat();
    records.append(&[&[WHOLE], top.as_slice()].concat())?;
    records.sync()?;
    cx.files.sync_dir(&cx.options.folder)?;
    Ok(records.position())
}

/// The leaves of a batch: headers of one tipset share their parents' object, and follow one another.
fn leaves(passed: &Passed) -> impl Iterator<Item = &BlockKey> {
    let mut last = None;
    let objects = passed.headers.iter().filter_map(|header| header.object.as_ref());
    let objects = objects.filter(move |object| last.replace(*object) != Some(*object));
    passed.leaves.iter().chain(objects)
}

fn append<'a>(records: &mut RecordWriter, kind: u8, items: impl Iterator<Item = &'a [u8]>) -> Result<()> {
    let mut record = vec![kind];
    for item in items {
        record.push(u8::try_from(item.len()).expect("a multihash or CID is shorter than 128 bytes"));
        record.extend_from_slice(item);
        if record.len() >= RECORD {
            records.append(&record)?;
            record.truncate(1);
        }
    }
    if record.len() > 1 { records.append(&record) } else { Ok(()) }
}

fn top(items: &[u8]) -> Option<Top> {
    let (height, headers) = items.split_first_chunk()?;
    let headers = u64::from_le_bytes(headers.try_into().ok()?);
    Some(Top { height: Epoch::new(u64::from_le_bytes(*height)), headers })
}

fn gather(items: &[u8], keys: &mut Gathering) -> Option<()> {
    each(items, |key| BlockKey::from_bytes(key).ok().map(|key| keys.push(&key))).map(drop)
}

fn each<T>(mut items: &[u8], mut parse: impl FnMut(&[u8]) -> Option<T>) -> Option<Vec<T>> {
    let mut all = Vec::new();
    while let Some((len, rest)) = items.split_first() {
        let (item, rest) = rest.split_at_checked((*len).into())?;
        all.push(parse(item)?);
        items = rest;
    }
    Some(all)
}
