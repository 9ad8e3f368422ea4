//! What is final, on disk: `tenured` in the store's folder, batches that are added to its end.
//!
//! ```text
//!   record   'H' | header length u8 | header | digest (32 bytes)*       keys of headers, in order within a batch
//!            'L' | the same                                             keys of leaves
//!            'h', 'l' | (length u8 | multihash)*                        those whose digests have another length
//!            'g' | headers of height 0   (length u8 | CID)*
//!            'e' | height, headers u64   the batch before it is whole; its highest tipset
//! ```
//! What stands behind the last 'e' is no batch: the next one is written over it. Keys are in memory as they are here, and a
//! file of one batch is read as fast as its bytes are checked. Of many batches, and of version 1, which had all keys as 'h'
//! and 'l', in any order, one batch is made when the next is to be added. A crash while it is written costs a walk.

use std::path::PathBuf;
use std::sync::Arc;

use cid::Cid;
use splitstore_domain::{BlockKey, Epoch};

use super::keys::{Digest, Gathered, Keys};
use super::passed::Met;
use super::{Found, Passed, Tenured, Top};
use crate::error::Result;
use crate::records::{End, FileKind, RecordReader, RecordWriter};
use crate::store::Inner;

const NAME: &str = "tenured";
/// A record is cut when it is longer.
const RECORD: usize = 64 * 1024;
/// Of more batches one is made.
const BATCHES: u32 = 64;

const HEADERS: u8 = b'H';
const LEAVES: u8 = b'L';
const OTHER_HEADERS: u8 = b'h';
const OTHER_LEAVES: u8 = b'l';
const GENESIS: u8 = b'g';
const WHOLE: u8 = b'e';

fn path(cx: &Inner) -> PathBuf {
    cx.options.folder.join(NAME)
}

/// What was read of one or more batches.
#[derive(Default)]
struct Read {
    headers: Gathered,
    leaves: Gathered,
    genesis: Vec<Cid>,
    top: Option<Top>,
}

/// What the file holds.
pub(super) fn read(cx: &Inner) -> Result<Found> {
    let Some(mut records) = RecordReader::open(&*cx.files, &path(cx), FileKind::Tenured)? else {
        return Ok(Found::default());
    };
    let (mut all, mut batch) = (Read::default(), Read::default());
    let (mut end, mut batches) = (End::default(), 0);
    let mut record = Vec::new();
    while records.next_into(&mut record)? {
        let damage = || records.damage("a batch of final headers is none");
        let (kind, items) = record.split_first().ok_or_else(damage)?;
        match *kind {
            HEADERS => gather(items, &mut batch.headers).ok_or_else(damage)?,
            LEAVES => gather(items, &mut batch.leaves).ok_or_else(damage)?,
            OTHER_HEADERS => gather_others(items, &mut batch.headers).ok_or_else(damage)?,
            OTHER_LEAVES => gather_others(items, &mut batch.leaves).ok_or_else(damage)?,
            GENESIS => batch.genesis.extend(each(items, |cid| Cid::try_from(cid).ok()).ok_or_else(damage)?),
            WHOLE => {
                all.headers.append(&mut batch.headers);
                all.leaves.append(&mut batch.leaves);
                all.genesis.append(&mut batch.genesis);
                all.top = Some(top(items).ok_or_else(damage)?);
                (end, batches) = (*records.end(), batches + 1);
            }
            _ => return Err(damage()),
        }
    }
    let Some(top) = all.top.filter(|_| !all.genesis.is_empty()) else { return Ok(Found::default()) };
    let (headers, leaves) = (all.headers.ordered(), all.leaves.ordered());
    let tenured = Some(Arc::new(Tenured { headers, leaves, genesis: all.genesis, top }));
    let goes_on = records.version() == FileKind::Tenured.version() && batches < BATCHES;
    Ok(Found { tenured, end: goes_on.then_some(end) })
}

/// Adds what a walk has passed to what was final before. If the walk was of another chain, that is forgotten, and
/// what was passed takes its place if it is whole.
pub(super) fn add(cx: &Inner, found: &Found, passed: &Passed) -> Result<Found> {
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
    let new = Batch {
        headers: gathered(passed.headers.iter().map(|header| &header.key)).ordered(),
        leaves: gathered(leaves(passed)).ordered(),
        genesis: passed.genesis.clone(),
    };
    let (end, all) = match (old, found.end) {
        (Some(old), Some(end)) => (write(cx, Some(&end), &new, top)?, new.beside(old)),
        (Some(old), None) => {
            let all = new.beside(old);
            (write(cx, None, &all, top)?, all)
        }
        (None, _) => (write(cx, None, &new, top)?, new),
    };
    let Batch { headers, leaves, genesis } = all;
    Ok(Found { tenured: Some(Arc::new(Tenured { headers, leaves, genesis, top })), end: Some(end) })
}

/// What is written together.
struct Batch {
    headers: Keys,
    leaves: Keys,
    genesis: Vec<Cid>,
}

impl Batch {
    /// It, and what was there before.
    fn beside(&self, old: &Tenured) -> Self {
        Self {
            headers: old.headers.and(&self.headers),
            leaves: old.leaves.and(&self.leaves),
            genesis: [&*old.genesis, &*self.genesis].concat(),
        }
    }
}

fn forget(cx: &Inner, found: &Found) -> Result<Found> {
    if found.tenured.is_some() {
        cx.files.remove(&path(cx))?;
        cx.files.sync_dir(&cx.options.folder)?;
    }
    Ok(Found::default())
}

/// Writes a batch behind `end`, or as the first of a new file; durably. Where it ends.
fn write(cx: &Inner, end: Option<&End>, batch: &Batch, top: Top) -> Result<End> {
    let Batch { headers, leaves, genesis } = batch;
    let path = path(cx);
    let mut records = match end {
        Some(end) => RecordWriter::resume(&cx.files, &path, end, FileKind::Tenured)?,
        None => RecordWriter::create(&cx.files, &path, FileKind::Tenured)?,
    };
    let genesis: Vec<Vec<u8>> = genesis.iter().map(Cid::to_bytes).collect();
    append_keys(&mut records, [HEADERS, OTHER_HEADERS], headers)?;
    append_keys(&mut records, [LEAVES, OTHER_LEAVES], leaves)?;
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

fn gathered<'a>(keys: impl Iterator<Item = &'a BlockKey>) -> Gathered {
    let mut gathered = Gathered::default();
    keys.for_each(|key| gathered.push(key));
    gathered
}

fn append_keys(records: &mut RecordWriter, [kind, other]: [u8; 2], keys: &Keys) -> Result<()> {
    for (header, digests) in keys.groups() {
        let len = u8::try_from(header.len()).expect("two varints");
        for digests in digests.chunks(RECORD / size_of::<Digest>()) {
            records.append(&[&[kind, len], header, digests.as_flattened()].concat())?;
        }
    }
    append(records, other, keys.others().iter().map(BlockKey::as_bytes))
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

fn gather(items: &[u8], keys: &mut Gathered) -> Option<()> {
    let (len, rest) = items.split_first()?;
    let (header, digests) = rest.split_at_checked((*len).into())?;
    let (digests, []) = digests.as_chunks() else { return None };
    keys.digests(header).extend_from_slice(digests);
    Some(())
}

fn gather_others(items: &[u8], keys: &mut Gathered) -> Option<()> {
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
